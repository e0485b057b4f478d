using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage;

namespace Twin.Silo.Embedded;

/// <summary>
/// Brings twins back from the journal: after a crash from the newest sound snapshot, for verification from the base.
/// </summary>
internal static class Rebuilder
{
    /// <summary>What a recovery did.</summary>
    public readonly record struct Result(long From, long BytesApplied, bool NewEpoch);

    public static Result Recover(TwinHost host, SqliteJournal journal, string folder, int judgingVersion,
        Action<string> log)
    {
        if (journal.JudgingVersion > judgingVersion)
            throw new DataDirectoryException($"{folder} was judged by version {journal.JudgingVersion}; this "
                + $"MeterTwin judges by {judgingVersion}. Use the newer MeterTwin that wrote it.", null);
        RequireEnd(journal, folder);
        var from = LoadSnapshot(host, SnapshotFile.List(folder), judgingVersion, log);
        if (from == 0) RequireWholeJournal(journal, folder);
        var bytes = Apply(host, journal, from, new Consequences(), null);
        return new Result(from, bytes, journal.JudgingVersion != judgingVersion);
    }

    /// <summary>Rebuilds from the newest base, or from the start, as if nothing but the journal were there.</summary>
    public static long FromBase(TwinHost host, SqliteJournal journal, string folder, int judgingVersion,
        Consequences into, Action<string> log,
        Action<Consequences>? onClosed)
    {
        RequireEnd(journal, folder);
        var bases = SnapshotFile.List(folder).Where(s => s.IsBase);
        var from = LoadSnapshot(host, bases, judgingVersion, log);
        if (from == 0) RequireWholeJournal(journal, folder);
        Apply(host, journal, from, into, onClosed);
        return from;
    }

    private static long LoadSnapshot(TwinHost host, IEnumerable<SnapshotFile.Info> candidates, int judgingVersion,
        Action<string> log)
    {
        foreach (var info in candidates)
        {
            if (SnapshotFile.TryRead(info, judgingVersion, host.Put, out var problem)) return info.Position;
            log(problem);
            host.Clear();
        }
        return 0;
    }

    /// <summary>
    /// A snapshot is written when everything before it is on the disk: one beyond the journal's end says that the
    /// journal, or its file '-wal', was lost or exchanged. To begin anew then would forget acknowledged readings.
    /// </summary>
    private static void RequireEnd(SqliteJournal journal, string folder)
    {
        if (SnapshotFile.List(folder) is not [var newest, ..] || newest.Position <= journal.Position) return;
        throw Sql.Damaged($"it ends at position {journal.Position}, but {newest.Path} was written at "
            + $"{newest.Position}: journal.db or journal.db-wal is missing, cut short or another's", null);
    }

    private static void RequireWholeJournal(SqliteJournal journal, string folder)
    {
        if (journal.Tombstones().Count == 0) return;
        throw new DataDirectoryException($"Readings were erased from {folder}, and the base snapshot made then is "
            + $"missing or damaged. Restore the newest backup ('metertwin restore').", null);
    }

    private static long Apply(TwinHost host, SqliteJournal journal, long from, Consequences into,
        Action<Consequences>? onClosed)
    {
        long bytes = 0;
        journal.Read(from, (position, input) =>
        {
            bytes += input.Length;
            host.Rebuild(input, into);
            if (onClosed is not null && Envelope.Read(input).Kind == InputKind.DayClosed) onClosed(into);
        });
        host.Flush();
        host.TakeFacts(into);
        host.ClearOutboxes();
        return bytes;
    }
}

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

    public static byte[]? Rebuild(IJournal journal, ITwinFactory factory, TwinKey key, UnixTime at)
    {
        if (key.Kind != TwinKind.Meter)
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
