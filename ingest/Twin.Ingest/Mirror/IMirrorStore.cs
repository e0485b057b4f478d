using Twin.Hardware;

namespace Twin.Ingest.Mirror;

/// <summary>
/// A server of time series that holds a copy of readings, scores and findings, so that people can query them with what
/// they have. What is written twice is there once. Every implementation passes one suite against a real server.
/// </summary>
public interface IMirrorStore : IDisposable
{
    /// <summary>Address and place within; holds no secret.</summary>
    string Name { get; }

    /// <summary>
    /// True: a point replaces the one of the same series and instant, and readings can be forgotten before a time.
    /// False: what should change is forgotten as a whole series and written again.
    /// </summary>
    bool Overwrites { get; }

    /// <summary>How long a server that is killed may yet lose what it took; zero: it syncs before it answers.</summary>
    TimeSpan Settles { get; }

    /// <summary>Changes when the server starts anew; asked only where <see cref="Settles"/> is not zero.</summary>
    /// <exception cref="MirrorException">It is away.</exception>
    Task<string> Incarnation(CancellationToken cancel);

    /// <summary>Returns when the server has taken all lines (line protocol, whole seconds).</summary>
    /// <exception cref="MirrorException">It is away, or refused; some may be there.</exception>
    Task Write(ReadOnlyMemory<byte> lines, CancellationToken cancel);

    /// <summary>
    /// Readings of a meter before a time are gone when this returns; where <see cref="Overwrites"/> is false, all of
    /// the meter's. Scores and findings stay.
    /// </summary>
    /// <exception cref="MirrorException">It is away, or refused.</exception>
    Task Forget(MeterId meter, UnixTime before, CancellationToken cancel);

    /// <summary>
    /// Readings from a time to before another, ascending; at most <see cref="MirrorLimits.AnswerBytes"/> of answer.
    /// </summary>
    /// <exception cref="MirrorException">It is away, or refused, or there is more.</exception>
    Task<IReadOnlyList<MirroredReading>> Read(MeterId meter, Channel channel, UnixTime from, UnixTime to,
        CancellationToken cancel);
}

/// <summary>One reading as the server holds it; the unit is the channel's.</summary>
public readonly record struct MirroredReading(UnixTime At, long Value, Quality Quality);

/// <summary>A server did not take or give; the message says who and why, and holds no secret.</summary>
public sealed class MirrorException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Bounds towards a server.</summary>
public static class MirrorLimits
{
    /// <summary>Points and bytes of one request; what is beyond goes into the next.</summary>
    public const int BatchPoints = 10_000, BatchBytes = 1024 * 1024;

    /// <summary>Longest answer that is read, bytes; a longer one is an error.</summary>
    public const int AnswerBytes = 64 * 1024 * 1024;

    /// <summary>Longest wait for one answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Instants that servers can hold, seconds: the years 1678 to 2261, nanoseconds in 64 bits.</summary>
    public const long MinSeconds = -9_214_560_000, MaxSeconds = 9_214_646_399;
}
