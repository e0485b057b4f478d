using System.Runtime.CompilerServices;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>What is known about how a day was measured.</summary>
[Flags]
public enum DayMarks : ushort
{
    None = 0,
    /// <summary>Every interval is there and actual.</summary>
    Complete = 1,
    /// <summary>Good enough to be evidence: mostly actual readings, no outage, no catch-up read.</summary>
    Usable = 2,
    /// <summary>The profile had seen <see cref="ReadingModel.WarmUpDays"/> days before this one.</summary>
    Warm = 4,
    /// <summary>All readings are zero.</summary>
    AllZero = 8,
    /// <summary>All readings are one number other than zero.</summary>
    Stuck = 16,
    /// <summary>A single read holds the energy of the gap before it.</summary>
    CatchUp = 32,
    /// <summary>The same values as a day of the past week, in the same or another order.</summary>
    Repeated = 64,
    /// <summary>Readings of zero fall between 08:00 and 18:00 only: what new PV looks like.</summary>
    DaylightZeros = 128,
    /// <summary>Consumption is at the night base all day: what an empty home looks like.</summary>
    Vacant = 256,
}

/// <summary>Sixteen numbers, one for each block of 90 minutes, Wh, as <see cref="LogFloat"/> codes.</summary>
[InlineArray(DayShape.Blocks)]
public struct BlockCodes
{
    private ushort _first;

    public readonly float Wh(int block) => LogFloat.Decode(this[block]);
}

/// <summary>
/// What a meter's folded day tells its cohort and feeder, and all that <see cref="ReadingModel.Judge"/> needs of the
/// day, about 115 bytes.
/// </summary>
public struct DayFeatures
{
    /// <summary>Local day number, days since 1970-01-01.</summary>
    public int Day;
    public long StartMinute;
    public short Minutes;
    public DayMarks Marks;

    /// <summary>Energy of the day and what the profile expected, Wh; expected is 0 while there is no profile.</summary>
    public float TotalWh, ExpectedWh;

    /// <summary>Night base and what was usual, W.</summary>
    public float NightW, ExpectedNightW;

    /// <summary>
    /// See <see cref="DayShape.Roughness"/>, <see cref="DayShape.EveningShare"/>; share of intervals that read zero.
    /// </summary>
    public float Roughness, EveningShare, ZeroShare;

    /// <summary>
    /// Half the sum of absolute differences between the day's and the profile's shape: 0 (same) to 1 (nothing in
    /// common).
    /// </summary>
    public float ShapeDistance;

    /// <summary>Energy by block, and what the profile expected of it (0 while there is none).</summary>
    public BlockCodes Blocks, ExpectedBlocks;

    public readonly bool Has(DayMarks marks) => (Marks & marks) == marks;
    public readonly UnixTime Start => UnixTime.FromMinutes(StartMinute);
    public readonly UnixTime End => UnixTime.FromMinutes(StartMinute + Minutes);

    /// <summary>Night base over mean power: near 1 for a flat line.</summary>
    public readonly float NightShare => TotalWh <= 0 ? 0f : NightW * Minutes / (60f * TotalWh);

    public readonly void Write(ByteWriter to) => Write(to, true);

    /// <summary>
    /// What a cohort and the judgement need: all but the blocks, which only a feeder's attribution looks at.
    /// </summary>
    public readonly void WriteBrief(ByteWriter to) => Write(to, false);

    private readonly void Write(ByteWriter to, bool blocks)
    {
        to.Bool(blocks);
        to.VarInt(Day);
        to.VarInt(StartMinute);
        to.VarInt(Minutes);
        to.UInt16((ushort)Marks);
        to.Single(TotalWh);
        to.Single(ExpectedWh);
        to.Single(NightW);
        to.Single(ExpectedNightW);
        to.Single(Roughness);
        to.Single(EveningShare);
        to.Single(ZeroShare);
        to.Single(ShapeDistance);
        if (!blocks) return;
        for (var b = 0; b < DayShape.Blocks; b++) to.UInt16(Blocks[b]);
        for (var b = 0; b < DayShape.Blocks; b++) to.UInt16(ExpectedBlocks[b]);
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static DayFeatures Read(ref ByteReader from)
    {
        var blocks = from.Bool();
        var f = new DayFeatures
        {
            Day = checked((int)from.VarInt()),
            StartMinute = from.VarInt(),
            Minutes = checked((short)from.VarInt()),
            Marks = (DayMarks)from.UInt16(),
            TotalWh = from.Single(),
            ExpectedWh = from.Single(),
            NightW = from.Single(),
            ExpectedNightW = from.Single(),
            Roughness = from.Single(),
            EveningShare = from.Single(),
            ZeroShare = from.Single(),
            ShapeDistance = from.Single(),
        };
        if (!blocks) return f;
        for (var b = 0; b < DayShape.Blocks; b++) f.Blocks[b] = from.UInt16();
        for (var b = 0; b < DayShape.Blocks; b++) f.ExpectedBlocks[b] = from.UInt16();
        return f;
    }
}
