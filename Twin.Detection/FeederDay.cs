using System.Runtime.CompilerServices;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// How well one member explains what its feeder misses: <paramref name="Strength"/> in standard errors, and the energy
/// a day that it would be, Wh. <paramref name="IsMoved"/>: that energy is missing at some hours and told at others, so
/// that the day's sum is about right.
/// </summary>
public readonly record struct Attribution(MeterId Meter, float Strength, float WhPerDay, bool IsMoved);

/// <summary>
/// What a feeder's balance said on a day. The most suspect members, strongest first; most days name nobody.
/// </summary>
public struct FeederDay
{
    /// <summary>Members named at most; a weaker one is left out.</summary>
    public const int MaxSuspects = 8;

    [InlineArray(MaxSuspects)]
    private struct Suspects
    {
        private Attribution _first;
    }

    public int Day;

    /// <summary>
    /// False when there is no observer, or some member's day is not complete: then nothing below is said.
    /// </summary>
    public bool IsStatement;

    /// <summary>
    /// True when members were weighed: then a member that is not named is one that the feeder does not miss.
    /// </summary>
    public bool IsAttributed;

    /// <summary>
    /// Energy of the observers beyond the members, Wh, and over the members' energy: technical loss and theft
    /// together.
    /// </summary>
    public float MissingWh, LossShare;

    /// <summary>
    /// Loss share that is usual for this feeder, and today's deviation from it in robust standard deviations.
    /// </summary>
    public float UsualLossShare, Z;

    /// <summary>Pairs named at most; a weaker one is left out.</summary>
    public const int MaxPairs = 4;

    [InlineArray(MaxPairs)]
    private struct Pairs
    {
        private ExchangedPair _first;
    }

    private Suspects _suspects;
    private Pairs _pairs;
    private byte _count, _pairCount;

    public readonly int SuspectCount => _count;
    public readonly Attribution Suspect(int index) => _suspects[index];

    /// <summary>
    /// Keeps the list sorted, strongest first, the earlier one first among equals; at the bound the weakest falls out.
    /// </summary>
    internal void Name(in Attribution suspect)
    {
        var at = (int)_count;
        while (at > 0 && _suspects[at - 1].Strength < suspect.Strength) at--;
        if (at >= MaxSuspects) return;
        for (var i = Math.Min((int)_count, MaxSuspects - 1); i > at; i--) _suspects[i] = _suspects[i - 1];
        _suspects[at] = suspect;
        if (_count < MaxSuspects) _count++;
    }

    /// <summary>Keeps the pairs sorted like the suspects.</summary>
    internal void Name(in ExchangedPair pair)
    {
        var at = (int)_pairCount;
        while (at > 0 && _pairs[at - 1].Strength < pair.Strength) at--;
        if (at >= MaxPairs) return;
        for (var i = Math.Min((int)_pairCount, MaxPairs - 1); i > at; i--) _pairs[i] = _pairs[i - 1];
        _pairs[at] = pair;
        if (_pairCount < MaxPairs) _pairCount++;
    }

    /// <summary>The strongest pair that a member belongs to; strength 0 when there is none.</summary>
    public readonly ExchangedPair PairOf(MeterId meter)
    {
        for (var i = 0; i < _pairCount; i++)
            if (_pairs[i].First == meter || _pairs[i].Second == meter) return _pairs[i];
        return default;
    }

    /// <summary>What the balance says of one member; strength 0 when it is not named.</summary>
    public readonly Attribution Of(MeterId meter)
    {
        for (var i = 0; i < _count; i++)
            if (_suspects[i].Meter == meter) return _suspects[i];
        return default;
    }

    public readonly void Write(ByteWriter to)
    {
        to.VarInt(Day);
        to.Bool(IsStatement);
        to.Bool(IsAttributed);
        to.Single(MissingWh);
        to.Single(LossShare);
        to.Single(UsualLossShare);
        to.Single(Z);
        to.Byte(_count);
        for (var i = 0; i < _count; i++)
        {
            to.UInt64(_suspects[i].Meter.Value);
            to.Single(_suspects[i].Strength);
            to.Single(_suspects[i].WhPerDay);
            to.Bool(_suspects[i].IsMoved);
        }
        to.Byte(_pairCount);
        for (var i = 0; i < _pairCount; i++)
        {
            to.UInt64(_pairs[i].First.Value);
            to.UInt64(_pairs[i].Second.Value);
            to.Single(_pairs[i].Strength);
            to.VarUInt((ulong)_pairs[i].Days);
        }
    }

    /// <summary>Reads what a message of this version holds: the first one named no pairs.</summary>
    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static FeederDay Read(ref ByteReader from, int version)
    {
        var day = new FeederDay
        {
            Day = checked((int)from.VarInt()),
            IsStatement = from.Bool(),
            IsAttributed = from.Bool(),
            MissingWh = from.Single(),
            LossShare = from.Single(),
            UsualLossShare = from.Single(),
            Z = from.Single(),
        };
        day._count = (byte)from.Count(MaxSuspects);
        for (var i = 0; i < day._count; i++)
            day._suspects[i] = new Attribution(new MeterId(from.UInt64()), from.Single(), from.Single(),
                version > 1 && from.Bool());
        if (version == 1) return day;
        day._pairCount = (byte)from.Count(MaxPairs);
        for (var i = 0; i < day._pairCount; i++)
            day._pairs[i] = new ExchangedPair(new MeterId(from.UInt64()), new MeterId(from.UInt64()), from.Single(),
                from.Count(byte.MaxValue));
        return day;
    }
}
