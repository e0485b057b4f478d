using System.Text;
using Twin.Grains.Concentrators;
using Twin.Grains.Meters;
using Twin.Hardware;

namespace Twin.Grains;

// A gap behind a lost backhaul is the concentrator's finding, not the meter's. When the closing day lacks readings, the
// meter asks its concentrator; the answer comes in the next round, and only what it leaves unexplained is stated. A day
// without gaps sends nothing.
public sealed partial class MeterTwin
{
    /// <summary>Most gaps of a day that can be explained; further ones count as missing.</summary>
    private const int MaxGaps = 64;

    /// <summary>
    /// The day that was asked about, and its gaps in minutes from its begin; null between closings, so it is no part
    /// of the stored state.
    /// </summary>
    private Asked? _asked;

    /// <summary>An object of its own: a million meters have the field, and few ask.</summary>
    private sealed record Asked(LocalDay Day, (int From, int To)[] Gaps);

    private bool AskBackhaul(in LocalDay day, int intervalMinutes, ReadOnlySpan<int> slots, IOutbox outbox)
    {
        if (!slots.Contains(ReadingBlock.Missing)) return false;
        var name = _relations.At(day.Number).ConcentratorName();
        if (name.IsEmpty) return false;
        _asked = new Asked(day, GapsOf(slots, intervalMinutes));
        var message = Scratch.Mine.Bytes;
        message.Clear();
        new GapDayMessage(day).Write(message);
        outbox.Send(TwinKey.Named(TwinKind.Concentrator, Encoding.UTF8.GetString(name)), message.Written);
        return true;
    }

    private static (int From, int To)[] GapsOf(ReadOnlySpan<int> slots, int intervalMinutes)
    {
        var gaps = new List<(int From, int To)>();
        for (var i = 0; i < slots.Length && gaps.Count < MaxGaps; i++)
        {
            if (slots[i] != ReadingBlock.Missing) continue;
            var from = i;
            while (i < slots.Length && slots[i] == ReadingBlock.Missing) i++;
            gaps.Add((from * intervalMinutes, i * intervalMinutes));
        }
        return [.. gaps];
    }

    /// <summary>
    /// Ends the question, once. An interval counts as explained when the backhaul was lost for a part of it: its
    /// reading is made from all of it. Null: nobody answered, nothing is explained.
    /// </summary>
    private void ExplainGaps(BackhaulDay? answer, IOutbox outbox)
    {
        if (_asked is not { } asked || (answer is not null && answer.Day != asked.Day.Number)) return;
        _asked = null;
        var (within, after) = (0, 0);
        foreach (var (from, to) in asked.Gaps)
        {
            var minutes = Explained(asked.Day, from, to, answer);
            // What is missing behind the last reading of a day waits for the next day.
            if (to == asked.Day.Minutes && from > 0) after += minutes;
            else within += minutes;
        }
        _model?.ExplainGap(asked.Day, within, after, SubjectOn(asked.Day), Scratch.Mine.SinkTo(outbox));
    }

    private int Explained(in LocalDay day, int from, int to, BackhaulDay? answer)
    {
        var minutes = 0;
        var interval = Math.Max(1, (int)_import.IntervalMinutes);
        for (var at = from; at < to; at += interval)
        {
            var (begin, end) = ((day.StartMinute + at) * 60, (day.StartMinute + at + interval) * 60);
            foreach (var lost in answer?.Lost ?? [])
            {
                if (lost.From >= end || lost.To <= begin) continue;
                minutes += interval;
                break;
            }
        }
        return minutes;
    }
}
