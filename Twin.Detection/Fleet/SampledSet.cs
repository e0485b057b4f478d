using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// A set of ids in bounded memory that still knows its size: when it is full, it keeps only the ids of which the hash
/// ends in one more zero bit, and each stands for twice as many (adaptive sampling after Wegman; Flajolet, Computing
/// 43, 1990). Exact up to its bound; above it a standard error of about 1.2 / √bound.
/// </summary>
public sealed class SampledSet(int bound)
{
    private const int MaxLevel = 48;
    private readonly List<ulong> _ids = [];
    private int _level;

    /// <summary>Members, estimated once there were more than the bound.</summary>
    public long Count => (long)_ids.Count << _level;

    /// <summary>True when this id is kept; one that is not may still have been added.</summary>
    public bool Contains(ulong id) => _ids.BinarySearch(id) >= 0;

    public void Add(ulong id)
    {
        if (!Keeps(id)) return;
        var at = _ids.BinarySearch(id);
        if (at >= 0) return;
        _ids.Insert(~at, id);
        while (_ids.Count > bound && _level < MaxLevel)
        {
            _level++;
            _ids.RemoveAll(i => !Keeps(i));
        }
    }

    public void Remove(ulong id)
    {
        if (_ids.BinarySearch(id) is >= 0 and var at) _ids.RemoveAt(at);
    }

    /// <summary>True when the sample takes ids like this one.</summary>
    private bool Keeps(ulong id) => (StableHash.Mix(id) & ((1UL << _level) - 1)) == 0;

    public void Write(ByteWriter to)
    {
        to.Byte((byte)_level);
        to.VarUInt((ulong)_ids.Count);
        foreach (var id in _ids) to.UInt64(id);
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static SampledSet Read(ref ByteReader r, int bound)
    {
        var set = new SampledSet(bound) { _level = r.Byte(0, MaxLevel) };
        var count = r.Count(bound);
        for (var i = 0; i < count; i++)
        {
            var id = r.UInt64();
            if (i > 0 && id <= set._ids[^1]) throw r.Bad("the ids of a set are out of order");
            set._ids.Add(id);
        }
        return set;
    }
}
