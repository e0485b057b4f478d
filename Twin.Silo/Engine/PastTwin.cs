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

    // What one thread uses again and again: an outbox takes a megabyte at once.
    [ThreadStatic] private static Outbox? t_said, t_heard, t_scores;

    /// <param name="journal">Where its inputs are.</param>
    /// <param name="factory">Makes the twin.</param>
    /// <param name="key">Which.</param>
    /// <param name="at">Only what happened up to then; null: whatever happened.</param>
    /// <param name="through">Only inputs up to this position.</param>
    /// <exception cref="PastNotKeptException">The twin depends on others.</exception>
    public static byte[]? Rebuild(IJournal journal, ITwinFactory factory, TwinKey key, UnixTime? at, long through)
    {
        if (!factory.HearsClosings(key.Kind))
            throw new PastNotKeptException($"The past of {key} cannot be rebuilt alone: it depends on its members. Ask "
                + "for a meter, or for the days of a feeder or cohort, which are stored.");
        var head = journal.Head;
        var limits = new Limits(at?.Seconds ?? long.MaxValue, Math.Min(through, head), through >= head);
        var (checkpoint, inputs) = journal.OneView(() =>
            Gather(journal, key, limits, CheckpointBefore(journal, key, limits)));
        if (inputs.Count == 0 && checkpoint is null) return null;
        var outbox = t_said ??= new Outbox(0, 1, keepScores: false);
        var twin = Play(journal, factory, key, (checkpoint, inputs), limits, new Speech(outbox, null));
        outbox.Clear();
        var state = new Twin.Hardware.Coding.ByteWriter(1024);
        twin.Write(state);
        return state.ToArray();
    }

    /// <summary>
    /// The scores of a meter's days, as they were stated when the days closed; from a day on and up to a position.
    /// </summary>
    public static void Scores(IJournal journal, ITwinFactory factory, MeterId meter, int fromDay, long through,
        Action<DayScore> visit)
    {
        var limits = new Limits(long.MaxValue, through, IsAll: false);
        var past = journal.OneView(() =>
            Gather(journal, meter.Twin, limits, journal.Checkpoint(meter.Twin, fromDay - 1)));
        if (past.Inputs.Count == 0) return;
        var outbox = t_scores ??= new Outbox(0, 1, keepScores: true);
        Play(journal, factory, meter.Twin, past, limits, new Speech(outbox, said =>
        {
            foreach (var fact in said.Facts)
                if (fact.Kind == FactKind.Score && DayScore.Read(said.Body(fact.Offset, fact.Length)) is var score
                    && score.Day >= fromDay) visit(score);
        }));
        outbox.Clear();
    }

    /// <summary>Where a twin speaks, and who hears it before that is cleared.</summary>
    private readonly record struct Speech(Outbox Outbox, Action<Outbox>? Heard)
    {
        public void Clear()
        {
            Heard?.Invoke(Outbox);
            Outbox.Clear();
        }
    }

    /// <summary>Applies what was gathered to the twin, and sweeps where it waits for them.</summary>
    private static TwinState Play(IJournal journal, ITwinFactory factory, TwinKey key,
        (TwinCheckpoint? Checkpoint, List<(long Position, byte[] Input)> Inputs) past, Limits limits, Speech speech)
    {
        var (checkpoint, inputs) = past;
        inputs.Sort((a, b) => a.Position.CompareTo(b.Position));
        var twin = checkpoint is null ? factory.Create(key) : factory.Restore(key, checkpoint.State);
        speech.Outbox.Clear();
        var answers = new Answers(journal, inputs);
        var position = checkpoint?.Position ?? inputs[0].Position - 1;
        foreach (var (next, input) in inputs)
        {
            SweepUntil(next);
            Apply(answers, twin, key, input, speech);
            position = next;
        }
        SweepUntil(limits.Through + 1);
        return twin;

        // Sweeps come each minute, and a twin hears few of them.
        void SweepUntil(long before)
        {
            while (twin.Waits && journal.NextSweep(position, before) is { } sweep && Before(sweep.Input, limits.At))
            {
                Apply(answers, twin, key, sweep.Input, speech);
                position = sweep.Position;
            }
        }
    }

    /// <summary>What others published when days closed: read for a year at once, since most days have an answer.
    /// </summary>
    private sealed class Answers(IJournal journal, List<(long Position, byte[] Input)> inputs)
    {
        private const int DaysAtOnce = 400;

        private readonly Dictionary<(TwinKey From, int Span), Dictionary<int, byte[]>> _read = [];

        public byte[]? Of(TwinKey from, int day)
        {
            var span = (int)Math.Floor((double)day / DaysAtOnce);
            if (!_read.TryGetValue((from, span), out var days))
                _read[(from, span)] = days = journal.Publications(from, day, Math.Max(day, LastOf(span)))
                    .ToDictionary(d => d.Day, d => d.Body);
            return days.GetValueOrDefault(day);
        }

        /// <summary>The last day of a span that is closed here; days are asked for in ascending order.</summary>
        private int LastOf(int span) => (int)Math.Min((span + 1L) * DaysAtOnce - 1, _lastDay ??= LastClosed());

        private int? _lastDay;

        private int LastClosed()
        {
            for (var i = inputs.Count - 1; i >= 0; i--)
                if (Envelope.Read(inputs[i].Input).Kind == InputKind.DayClosed)
                    return ((DayClosed)Input.Read(inputs[i].Input)).Day;
            return int.MinValue;
        }
    }

    /// <summary>Event time in seconds, position, and whether that is all there is.</summary>
    private readonly record struct Limits(long At, long Through, bool IsAll);

    /// <summary>The newest checkpoint, and what came after it: inputs of the meter and closings of days.</summary>
    private static (TwinCheckpoint? Checkpoint, List<(long Position, byte[] Input)> Inputs) Gather(IJournal journal,
        TwinKey key, Limits limits, TwinCheckpoint? checkpoint)
    {
        var after = checkpoint?.Position ?? 0;
        var inputs = new List<(long Position, byte[] Input)>();
        void Keep(long position, ReadOnlySpan<byte> input)
        {
            if (position > after && position <= limits.Through && Before(input, limits.At))
                inputs.Add((position, input.ToArray()));
        }
        journal.ReadAddressed(key, after, Keep);
        journal.ReadReadings(new MeterId(key.Id), checkpoint is null ? int.MinValue : checkpoint.Day - 1,
            limits.At == long.MaxValue ? int.MaxValue : DayOf(limits.At) + 1, limits.Through, Keep);
        if (inputs.Count == 0 && checkpoint is null) return (null, inputs);
        // Days that closed before the meter first spoke never reached its twin.
        var first = checkpoint is null ? inputs.Min(i => i.Position) : after;
        foreach (var (day, position) in journal.ClosedDays(first))
            if (position <= limits.Through && (day + 1L) * 86_400 <= limits.At)
                inputs.Add((position, new DayClosed(day).ToBytes()));
        return (checkpoint, inputs);
    }

    private static TwinCheckpoint? CheckpointBefore(IJournal journal, TwinKey key, Limits limits)
    {
        var day = limits.At == long.MaxValue ? int.MaxValue : DayOf(limits.At) - CheckpointMargin;
        // Days close in order, and a checkpoint is made where one does.
        var known = limits.IsAll ? int.MaxValue : journal.ClosedDays(0)
            .LastOrDefault(c => c.Position <= limits.Through, (Day: int.MinValue, Position: 0L)).Day;
        return known == int.MinValue ? null : journal.Checkpoint(key, Math.Min(day, known));
    }

    private static int DayOf(long seconds) =>
        (int)Math.Clamp(seconds / 86_400, LocalDay.MinNumber, LocalDay.MaxNumber);

    private static bool Before(ReadOnlySpan<byte> input, long at)
    {
        if (at == long.MaxValue) return true;
        return Envelope.Read(input).Kind switch
        {
            InputKind.ReadingBlock => ReadingBlock.Read(input).EndMinute * 60 <= at,
            InputKind.RegisterSnapshot => ((RegisterSnapshot)Input.Read(input)).At.Seconds <= at,
            InputKind.ContextPeriod => ((ContextPeriod)Input.Read(input)).From.Seconds <= at,
            _ => Input.EventTime(input) is not { } time || time.Seconds <= at,
        };
    }

    private static void Apply(Answers published, TwinState twin, TwinKey key, byte[] input, Speech speech)
    {
        var outbox = speech.Outbox;
        var kind = Envelope.Read(input).Kind;
        if (kind == InputKind.Sweep && !twin.Waits) return;
        var closing = kind == InputKind.DayClosed;
        outbox.Begin(key, null, maySend: closing || kind == InputKind.Sweep);
        twin.Apply(input, outbox);
        if (!closing || outbox.LetterCount == 0)
        {
            speech.Clear();
            return;
        }
        var day = ((DayClosed)Input.Read(input)).Day;
        var answers = t_heard ??= new Outbox(0, 1, keepScores: false);
        answers.Clear();
        var (sent, letters) = (new List<Letter>(), new List<Letter>());
        outbox.Take(0, sent);
        foreach (var to in sent.Select(l => l.To).Distinct().Order())
        {
            if (published.Of(to, day) is not { } body) continue;
            answers.Begin(to, null, maySend: true);
            answers.Send(key, body);
        }
        answers.Take(0, letters);
        speech.Clear();
        if (letters.Count == 0) return;
        var inbox = new Inbox([answers]);
        inbox.Show(letters, 0, letters.Count);
        outbox.Begin(key, inbox, maySend: true);
        twin.Receive(inbox, outbox);
        speech.Clear();
        answers.Clear();
    }
}
