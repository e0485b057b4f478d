using Twin.Silo.Storage;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Engine;

/// <summary>What twins may look up while they admit: closed days, as the journal has them.</summary>
/// <param name="journal">The journal.</param>
/// <param name="settle">
/// Waits until what closed a moment ago is on the disk; called before every look.
/// </param>
internal sealed class JournalRecall(IJournal journal, Action settle) : IRecall
{
    public bool TryReadDay(MeterId meter, Channel channel, LocalDay day, int intervalMinutes, Span<int> slots,
        Span<Quality> qualities)
    {
        var stored = StoredDay(meter, channel, day);
        if (stored.IntervalMinutes != intervalMinutes || stored.Count != slots.Length) return false;
        stored.Slots.CopyTo(slots);
        stored.Qualities.CopyTo(qualities);
        return true;
    }

    public int IntervalOf(MeterId meter, Channel channel, LocalDay day) =>
        StoredDay(meter, channel, day).IntervalMinutes;

    public bool TryFindFrame(MeterId meter, KeySlot key, FrameDirection direction, uint counter, out ulong digest)
    {
        settle();
        FrameReceived? found = null;
        journal.ReadNewestFrequent(meter, (_, input) =>
        {
            if (Envelope.Read(input).Kind != InputKind.FrameReceived) return true;
            var f = (FrameReceived)Input.Read(input);
            if ((f.Key, f.Direction, f.Counter) == (key, direction, counter)) found = f;
            return found is null;
        });
        digest = found?.BytesDigest ?? 0;
        return found is not null;
    }

    /// <summary>The day as stored; its interval length is 0 when nothing is.</summary>
    private DaySlots StoredDay(MeterId meter, Channel channel, LocalDay day)
    {
        settle();
        var found = new DaySlots();
        journal.Series(meter, channel, day.Number, day.Number, found.Begin);
        return found;
    }
}
