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
    /// <summary>Readings of zero fall between 06:00 and 19:00 only: what new PV looks like.</summary>
    DaylightZeros = 128,
    /// <summary>Nothing above what runs by itself: what an empty home looks like.</summary>
    Vacant = 256,
    /// <summary>Much less than usual by daylight, as usual by night: what new PV looks like.</summary>
    LessByDay = 512,
    /// <summary>All but a few readings are zero, and hardly anything is consumed.</summary>
    Dead = 1024,
    /// <summary>Vacant, and not for longer than a holiday lasts.</summary>
    Holiday = 2048,
    /// <summary>The meter has an export channel, and its day is complete too.</summary>
    Exports = 4096,
    /// <summary>The meter has an export channel, and something of its day is missing: no balance is drawn.</summary>
    ExportLacks = 8192,
}

/// <summary>48 numbers, one for each half-hour, Wh, as <see cref="LogFloat"/> codes.</summary>
[InlineArray(DayShape.Blocks)]
public struct BlockCodes
{
    private ushort _first;

    public readonly float Wh(int block) => LogFloat.Decode(this[block]);
}

/// <summary>
/// What a meter's folded day tells its cohort and feeder, and all that <see cref="ReadingModel.Judge"/> needs of the
/// day, about 260 bytes.
/// </summary>
public struct DayFeatures
{
    private const byte BriefFormat = 2, FullFormat = 3;

    /// <summary>Local day number, days since 1970-01-01.</summary>
    public int Day;
    public long StartMinute;
    public short Minutes;
    public DayMarks Marks;

    /// <summary>Energy of the day and what the profile expected, Wh; expected is 0 while there is no profile.</summary>
    public float TotalWh, ExpectedWh;

    /// <summary>Night base and what was usual, W.</summary>
    public float NightW, ExpectedNightW;

    /// <summary>Mean of the four highest half-hours and what was usual, W.</summary>
    public float TopW, ExpectedTopW;

    /// <summary>See <see cref="DayShape.Roughness"/>; share of intervals that read zero.</summary>
    public float Roughness, ZeroShare;

    /// <summary>See <see cref="ShapeMatch"/>.</summary>
    public float ShapeDistance, Rhythm;

    /// <summary>See <see cref="CapWatch"/>: intervals at the ceiling so far, and the ceiling, Wh.</summary>
    public int CapHits, CapWh;

    /// <summary>Energy by block, and what the profile expected of it (0 while there is none).</summary>
    public BlockCodes Blocks, ExpectedBlocks;

    /// <summary>Energy fed into the feeder, Wh, and by block; nothing without <see cref="DayMarks.Exports"/>.</summary>
    public float ExportWh;
    public BlockCodes ExportBlocks;

    public readonly bool Has(DayMarks marks) => (Marks & marks) == marks;
    public readonly UnixTime Start => UnixTime.FromMinutes(StartMinute);
    public readonly UnixTime End => UnixTime.FromMinutes(StartMinute + Minutes);

    /// <summary>What the feeder had to bring, Wh: import less export; of the day, and of a block.</summary>
    public readonly float NetWh => TotalWh - ExportWh;
    public readonly float NetWhOf(int block) =>
        Has(DayMarks.Exports) ? Blocks.Wh(block) - ExportBlocks.Wh(block) : Blocks.Wh(block);

    /// <summary>Night base over mean power: near 1 for a flat line.</summary>
    public readonly float NightShare => TotalWh <= 0 ? 0f : NightW * Minutes / (60f * TotalWh);

    public readonly void Write(ByteWriter to) => Write(to, true);

    /// <summary>
    /// What a cohort and the judgement need: all but the blocks, which only a feeder's attribution looks at.
    /// </summary>
    public readonly void WriteBrief(ByteWriter to) => Write(to, false);

    private readonly void Write(ByteWriter to, bool blocks)
    {
        to.Byte(blocks ? FullFormat : BriefFormat);
        to.VarInt(Day);
        to.VarInt(StartMinute);
        to.VarInt(Minutes);
        to.UInt16((ushort)Marks);
        to.Single(TotalWh);
        to.Single(ExpectedWh);
        to.Single(NightW);
        to.Single(ExpectedNightW);
        to.Single(Roughness);
        to.Single(ZeroShare);
        to.Single(ShapeDistance);
        to.Single(TopW);
        to.Single(ExpectedTopW);
        to.Single(Rhythm);
        to.VarUInt((ulong)CapHits);
        to.VarUInt((ulong)CapWh);
        if (!blocks) return;
        for (var b = 0; b < DayShape.Blocks; b++) to.UInt16(Blocks[b]);
        for (var b = 0; b < DayShape.Blocks; b++) to.UInt16(ExpectedBlocks[b]);
        if (!Has(DayMarks.Exports)) return;
        to.Single(ExportWh);
        for (var b = 0; b < DayShape.Blocks; b++) to.UInt16(ExportBlocks[b]);
    }

    /// <summary>
    /// Adds the day of the export channel; <paramref name="export"/> has no slots where the channel told nothing.
    /// </summary>
    public void AddExport(in DayReadings export)
    {
        Span<float> power = stackalloc float[DayShape.Slots];
        Span<float> blocks = stackalloc float[DayShape.Blocks];
        var shape = DayShape.Of(export, power, blocks);
        var isComplete = shape.Count > 0 && shape.Actual == shape.Count;
        Marks |= isComplete ? DayMarks.Exports : DayMarks.ExportLacks;
        if (!isComplete) return;
        ExportWh = shape.SumWh;
        for (var b = 0; b < DayShape.Blocks; b++) ExportBlocks[b] = LogFloat.Encode(blocks[b]);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static DayFeatures Read(ref ByteReader from)
    {
        var format = from.Byte();
        if (format > FullFormat)
            throw from.Bad($"a day's features have format {format}, this MeterTwin knows up to {FullFormat}");
        var isFirst = format < BriefFormat;
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
        };
        // The first version told the evening's share here, which nothing uses any more.
        if (isFirst) _ = from.Single();
        (f.ZeroShare, f.ShapeDistance, f.Rhythm) = (from.Single(), from.Single(), 1f);
        if (!isFirst)
        {
            (f.TopW, f.ExpectedTopW, f.Rhythm) = (from.Single(), from.Single(), from.Single());
            (f.CapHits, f.CapWh) = (from.Count(byte.MaxValue), from.Count(ushort.MaxValue));
        }
        if (format == FullFormat) f.ReadBlocks(ref from);
        else if (format == 1) _ = from.Bytes(2 * 2 * FirstBlocks);
        return f;
    }

    /// <summary>The first version's blocks of 90 minutes are passed over: no feeder waits for them.</summary>
    private const int FirstBlocks = 16;

    private void ReadBlocks(ref ByteReader from)
    {
        for (var b = 0; b < DayShape.Blocks; b++) Blocks[b] = from.UInt16();
        for (var b = 0; b < DayShape.Blocks; b++) ExpectedBlocks[b] = from.UInt16();
        if (!Has(DayMarks.Exports)) return;
        ExportWh = from.Single();
        for (var b = 0; b < DayShape.Blocks; b++) ExportBlocks[b] = from.UInt16();
    }
}
