using Twin.Grains.Ledger;

namespace Twin.Silo.Mirror;

/// <summary>
/// How far a mirror has come in one order of things: what the server took, and behind it what the server will surely
/// keep. The second is durable, and noted about once a second: a note is a synced write beside those of the journal.
/// </summary>
internal sealed class MirrorTrack(ILedgerSource ledger, string reader)
{
    /// <summary>Places that wait to be sure; at the bound the newest waits longer.</summary>
    private const int MaxWaiting = 64;

    private readonly Queue<(long Place, long Second)> _waiting = new();
    private (long Place, long Second)? _newest;
    private long _at = ledger.Cursor(reader), _durable = ledger.Cursor(reader);

    /// <summary>The server took everything up to here.</summary>
    public long At => Interlocked.Read(ref _at);

    /// <summary>What was noted last.</summary>
    public long Durable => Interlocked.Read(ref _durable);

    public void Reached(long place, long second)
    {
        Interlocked.Exchange(ref _at, place);
        if (_newest is { } newest && newest.Second != second && _waiting.Count < MaxWaiting) _waiting.Enqueue(newest);
        _newest = (place, second);
    }

    /// <summary>The last place that was reached so many seconds ago; null when that is noted already.</summary>
    public long? SureBefore(long second)
    {
        long? sure = null;
        while (_waiting.TryPeek(out var first) && first.Second <= second) sure = _waiting.Dequeue().Place;
        if (_waiting.Count == 0 && _newest is { } newest && newest.Second <= second)
            (sure, _newest) = (newest.Place, null);
        return sure > Durable ? sure : null;
    }

    public void Note(long place)
    {
        ledger.SetCursor(reader, place, reset: false);
        Interlocked.Exchange(ref _durable, place);
    }

    /// <summary>The server may have lost what it took since: it is sent again.</summary>
    public void GoBack()
    {
        _waiting.Clear();
        _newest = null;
        Interlocked.Exchange(ref _at, Durable);
    }

    /// <summary>Something waits to be sure.</summary>
    public bool IsWaiting => _newest is not null || _waiting.Count > 0;
}
