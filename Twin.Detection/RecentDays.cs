using System.Numerics;
using System.Runtime.CompilerServices;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// Recognises a day whose readings are those of one of the last seven days, in the same or another order: a hash of
/// the values as a multiset, 32 bits a day. Two real days of a home do not agree in 48 values; days of little variety
/// are not compared.
/// </summary>
internal struct RecentDays
{
    private const int Kept = 7;

    /// <summary>Distinct values (as bits of a 64-bit sketch) that a day must show before it is compared.</summary>
    private const int EnoughVariety = 14;

    [InlineArray(Kept)]
    private struct Hashes
    {
        private uint _first;
    }

    private Hashes _hashes;

    /// <summary>True when the day repeats one of the last seven that were seen; then keeps it as the newest.</summary>
    public bool Note(in DayShape shape)
    {
        uint hash = 0;
        if (shape.Present == shape.Count && shape.Present >= 24
            && BitOperations.PopCount(shape.ValueSketch) >= EnoughVariety)
            hash = (uint)(StableHash.Mix(shape.ValueHash) >> 32) | 1;
        var repeated = false;
        for (var i = Kept - 1; i >= 0; i--)
        {
            repeated |= hash != 0 && _hashes[i] == hash;
            _hashes[i] = i == 0 ? hash : _hashes[i - 1];
        }
        return repeated;
    }

    public readonly void Write(ByteWriter to)
    {
        ReadOnlySpan<uint> hashes = _hashes;
        foreach (var hash in hashes) to.VarUInt(hash);
    }

    public static RecentDays Read(ref ByteReader from)
    {
        var recent = default(RecentDays);
        for (var i = 0; i < Kept; i++)
        {
            var hash = from.VarUInt();
            if (hash > uint.MaxValue) throw from.Bad("the hash of a day is over 32 bits");
            recent._hashes[i] = (uint)hash;
        }
        return recent;
    }
}
