namespace Twin.Silo.Soc;

/// <summary>A place outside that is told of events.</summary>
internal interface ISocSink : IAsyncDisposable
{
    /// <summary>
    /// Returns when the receiver has taken all of them, in this order, as surely as its protocol can say so. On an
    /// error some may have arrived: the same are sent again.
    /// </summary>
    /// <exception cref="SinkException">The receiver is away, or refused.</exception>
    Task Deliver(IReadOnlyList<SocEvent> events, CancellationToken cancel);
}

/// <summary>A receiver did not take events; the message says who and why, and holds no secret.</summary>
internal sealed class SinkException(string message, Exception? inner = null) : Exception(message, inner);
