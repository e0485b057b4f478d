using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage;

namespace Twin.Silo.Engine;

// What twins may look up while they admit: closed days, as the journal has them.
internal sealed partial class Sequencer
{
    bool IRecall.TryReadDay(MeterId meter, Channel channel, LocalDay day, int intervalMinutes, Span<int> slots,
        Span<Quality> qualities)
    {
        var stored = StoredDay(meter, channel, day);
        if (stored.IntervalMinutes != intervalMinutes || stored.Count != slots.Length) return false;
        stored.Slots.CopyTo(slots);
        stored.Qualities.CopyTo(qualities);
        return true;
    }

    int IRecall.IntervalOf(MeterId meter, Channel channel, LocalDay day) =>
        StoredDay(meter, channel, day).IntervalMinutes;

    bool IRecall.TryFindFrame(MeterId meter, KeySlot key, FrameDirection direction, uint counter, out ulong digest)
    {
        _writer.Drain(throwOnError: false);
        FrameReceived? found = null;
        _journal.ReadNewestFrequent(meter, (_, input) =>
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
        // What closed a moment ago may still be under way to the disk. Half way through a batch there is no turning
        // back: wait.
        _writer.Drain(throwOnError: false);
        var found = new DaySlots();
        _journal.Series(meter, channel, day.Number, day.Number, found.Begin);
        return found;
    }
}
