using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;

namespace Twin.Silo.Engine;

/// <summary>
/// One meter as of an event time, on what is known now: its own inputs up to then, and what its feeder and cohort
/// published when days closed. No other meter is touched, and yearly checkpoints bound the work.
/// </summary>
internal static class PastTwin
{
    /// <summary>Closings between two checkpoints of a twin.</summary>
    public const int CheckpointDays = 364;

    /// <summary>
    /// A checkpoint holds open days too; one this much older than the time asked for has none that lie after it.
    /// </summary>
    private const int CheckpointMargin = 40;

    /// <summary>True when it is a twin's turn to be kept, once in <see cref="CheckpointDays"/>.</summary>
    public static bool IsCheckpointDay(TwinKey key, int day) =>
        (StableHash.Mix(key.Id) >> 8) % CheckpointDays
            == (ulong)(((day % CheckpointDays) + CheckpointDays) % CheckpointDays);

    public static byte[]? Rebuild(IJournal journal, ITwinFactory factory, TwinKey key, UnixTime at)
    {
        if (!factory.HearsClosings(key.Kind))
            throw new ArgumentException(
                $"The past of {key} cannot be rebuilt alone: it depends on its members. Ask for a meter.", nameof(key));
        var through = (int)Math.Clamp(at.Seconds / 86_400 - CheckpointMargin, LocalDay.MinNumber, LocalDay.MaxNumber);
        var (checkpoint, inputs) = journal.OneView(() => Gather(journal, key, at, through));
        if (inputs.Count == 0 && checkpoint is null) return null;
        inputs.Sort((a, b) => a.Position.CompareTo(b.Position));
        var twin = checkpoint is null ? factory.Create(key) : factory.Restore(key, checkpoint.State);
        var outbox = new Outbox(0, 1, keepScores: false);
        foreach (var (_, input) in inputs) Apply(journal, twin, key, input, outbox);
        outbox.Clear();
        var state = new Twin.Hardware.Coding.ByteWriter(1024);
        twin.Write(state);
        return state.ToArray();
    }

    /// <summary>The newest checkpoint, and what came after it: inputs of the meter and closings of days.</summary>
    private static (TwinCheckpoint? Checkpoint, List<(long Position, byte[] Input)> Inputs) Gather(IJournal journal,
        TwinKey key, UnixTime at, int through)
    {
        var checkpoint = journal.Checkpoint(key, through);
        var after = checkpoint?.Position ?? 0;
        var inputs = new List<(long Position, byte[] Input)>();
        void Keep(long position, ReadOnlySpan<byte> input)
        {
            if (position > after && Before(input, at)) inputs.Add((position, input.ToArray()));
        }
        journal.ReadAddressed(key, after, Keep);
        journal.ReadReadings(new MeterId(key.Id), checkpoint is null ? int.MinValue : checkpoint.Day - 1, Keep);
        if (inputs.Count == 0 && checkpoint is null) return (null, inputs);
        // Days that closed before the meter first spoke never reached its twin.
        var first = checkpoint is null ? inputs.Min(i => i.Position) : after;
        journal.ReadFleetWide(first, (position, input) =>
        {
            if (Envelope.Read(input).Kind == InputKind.Sweep) Keep(position, input);
        });
        foreach (var (day, position) in journal.ClosedDays(first))
            if ((day + 1L) * 86_400 <= at.Seconds) inputs.Add((position, new DayClosed(day).ToBytes()));
        return (checkpoint, inputs);
    }

    private static bool Before(ReadOnlySpan<byte> input, UnixTime at) => Envelope.Read(input).Kind switch
    {
        InputKind.ReadingBlock => ReadingBlock.Read(input).EndMinute * 60 <= at.Seconds,
        InputKind.RegisterSnapshot => ((RegisterSnapshot)Input.Read(input)).At.Seconds <= at.Seconds,
        InputKind.ContextPeriod => ((ContextPeriod)Input.Read(input)).From.Seconds <= at.Seconds,
        _ => Input.EventTime(input) is not { } time || time.Seconds <= at.Seconds,
    };

    private static void Apply(IJournal journal, TwinState twin, TwinKey key, byte[] input, Outbox outbox)
    {
        outbox.Clear();
        var kind = Envelope.Read(input).Kind;
        if (kind == InputKind.Sweep && !twin.Waits) return;
        var closing = kind == InputKind.DayClosed;
        outbox.Begin(key, null, maySend: closing || kind == InputKind.Sweep);
        twin.Apply(input, outbox);
        if (!closing || outbox.LetterCount == 0) return;
        var day = ((DayClosed)Input.Read(input)).Day;
        var answers = new Outbox(0, 1, keepScores: false);
        var (sent, letters) = (new List<Letter>(), new List<Letter>());
        outbox.Take(0, sent);
        foreach (var to in sent.Select(l => l.To).Distinct().Order())
        {
            if (journal.Publication(to, day) is not { } body) continue;
            answers.Begin(to, null, maySend: true);
            answers.Send(key, body);
        }
        answers.Take(0, letters);
        if (letters.Count == 0) return;
        var inbox = new Inbox([answers]);
        inbox.Show(letters, 0, letters.Count);
        outbox.Clear();
        outbox.Begin(key, inbox, maySend: true);
        twin.Receive(inbox, outbox);
        answers.Clear();
    }
}
