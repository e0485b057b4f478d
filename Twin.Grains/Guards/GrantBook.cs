using Twin.Hardware.Coding;

namespace Twin.Grains.Guards;

/// <summary>One granted reservation. <paramref name="At"/>: second of the guard's own clock.</summary>
internal readonly record struct Grant(ulong Case, int Response, long At, long Watts, string Account);

/// <summary>
/// What a guard granted within the last day, so that only what was granted can be given back, and that once.
/// </summary>
internal sealed class GrantBook
{
    /// <summary>
    /// Grants remembered, about 60 bytes each. At the bound the oldest is forgotten: it stays counted until its day is
    /// over, and cannot be given back.
    /// </summary>
    public const int MaxGrants = 4_096;
    private const byte EncodingVersion = 1;

    private readonly Queue<Grant> _grants = [];

    public int Count => _grants.Count;

    public void Add(in Grant grant)
    {
        if (_grants.Count == MaxGrants) _grants.Dequeue();
        _grants.Enqueue(grant);
    }

    /// <summary>Takes out the newest grant of that response; false when there is none.</summary>
    public bool TryTake(ulong caseId, int response, out Grant grant)
    {
        grant = default;
        var found = false;
        foreach (var g in _grants)
            if (g.Case == caseId && g.Response == response) (grant, found) = (g, true);
        if (!found) return false;
        var (count, taken) = (_grants.Count, false);
        for (var i = 0; i < count; i++)
        {
            var g = _grants.Dequeue();
            if (!taken && g == grant) taken = true;
            else _grants.Enqueue(g);
        }
        return true;
    }

    public void DropBefore(long second)
    {
        while (_grants.TryPeek(out var oldest) && oldest.At < second) _grants.Dequeue();
    }

    public void Clear() => _grants.Clear();

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_grants.Count);
        foreach (var g in _grants)
        {
            to.UInt64(g.Case);
            to.VarUInt((ulong)g.Response);
            to.VarInt(g.At);
            to.VarUInt((ulong)g.Watts);
            to.Text(g.Account);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static GrantBook Read(ref ByteReader r)
    {
        if (r.Byte() is not EncodingVersion and var version)
            throw r.Bad($"a guard's grants have version {version}, this MeterTwin knows {EncodingVersion}");
        var book = new GrantBook();
        var count = r.Count(MaxGrants);
        for (var i = 0; i < count; i++)
            book._grants.Enqueue(new Grant(r.UInt64(), r.Count(int.MaxValue), r.VarInt(), checked((long)r.VarUInt()),
                r.Text()));
        return book;
    }
}
