using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Engine;

// How a batch becomes journal. A batch is taken in steps; a step ends where event time enters a new UTC day, so that
// days close between steps as they would have closed between batches. Which items share a step is a function of the
// batch and of the journal before it.
internal sealed partial class Sequencer
{
    /// <summary>Content keys of inputs not yet surely committed.</summary>
    private const int MaxRecentKeys = 1 << 20;

    private void Process(InputBatch batch, Guid? name, TaskCompletionSource<AppendReceipt> done)
    {
        // A batch that waited while the disk filled up is refused before any twin has seen it.
        if (_writer.Error is { } error) throw new StorageUnavailableException(error, null);
        if (_plane.NeedsSettled)
        {
            _writer.Drain(throwOnError: true);
            _plane.Settled();
        }
        var results = new Admission[batch.Count];
        if (_keys.Length < batch.Count) _keys = new ContentKey[InputBatch.MaxItems];
        var journal = new JournalBatch(_position + 1);
        var consequences = new Consequences();
        var counted = 0;
        for (var from = 0; from < batch.Count;)
        {
            var to = _imports ? ControlOr(batch, from) : StepEnd(batch, from, results);
            _isHalfWay |= _imports || to == from;
            if (_imports && to > from)
            {
                _plane.Replay(batch, from, to, consequences);
                for (; from < to; from++) results[from] = Import(batch[from], journal);
            }
            else if (to == from) results[from] = Control(batch, from++, journal, consequences);
            else
            {
                if (MayBeLate)
                {
                    // What comes late is compared with the history, which must hold all of this batch so far.
                    if (!journal.IsEmpty)
                    {
                        Finish(journal, consequences, results.AsSpan(counted..from), [], null);
                        (journal, consequences, counted) = (new JournalBatch(_position + 1), new Consequences(), from);
                    }
                    _writer.Drain(throwOnError: from == 0);
                }
                _isHalfWay = true;
                var into = journal;
                _plane.Admit(new Step(batch, from, to, results, _keys, Recall, i => _journal.HasContent(_keys[i])),
                    (input, a) => Record(batch.Source, into, input, a), consequences);
                from = to;
            }
            NoteFound(journal, consequences);
            CloseDays(journal, consequences);
        }
        if (name is { } n)
            journal.Receipt = (n, new AppendReceipt(results, journal.LastPosition).ToBytes());
        Finish(journal, consequences, results.AsSpan(counted..), results, done);
        _between();
    }

    /// <summary>
    /// True when the step may hold readings of a closed local day: local and UTC days are at most one apart.
    /// </summary>
    private bool MayBeLate =>
        _watermark.ClosedThrough != int.MinValue && _earliest - 1 <= _watermark.ClosedThrough;

    /// <summary>The first UTC day of readings in the step.</summary>
    private long _earliest;

    /// <summary>Keys of the batch's items; only those keyed by content have one.</summary>
    private ContentKey[] _keys = [];

    /// <summary>
    /// End of the step that begins at an item; the item itself when it speaks to the engine, not to a twin. No step
    /// holds the same fact twice, or two blocks of a series that may be late: the second is compared with the first.
    /// </summary>
    private int StepEnd(InputBatch batch, int from, Admission[] results)
    {
        var day = long.MinValue;
        _earliest = long.MaxValue;
        HashSet<ContentKey>? told = null;
        HashSet<(MeterId, Channel)>? late = null;
        for (var i = from; i < batch.Count; i++)
        {
            try
            {
                var envelope = Envelope.Read(batch[i]);
                if (envelope.Target.Id == TwinKey.Everyone) return i;
                if (envelope.Kind == InputKind.ReadingBlock)
                {
                    var block = ReadingBlock.Read(batch[i]);
                    var itemDay = (block.StartMinute - (block.StartMinute % 1440 + 1440) % 1440) / 1440;
                    if (day == long.MinValue) day = itemDay;
                    else if (itemDay > day) return i;
                    _earliest = Math.Min(_earliest, itemDay);
                    if (itemDay - 1 <= _watermark.ClosedThrough && !(late ??= []).Add((block.Meter, block.Channel)))
                        return i;
                }
                else if (Input.KeyedByContent(envelope.Kind))
                {
                    var key = _keys[i] = ContentKey.Of(batch[i]);
                    // Whether the journal has it is asked in the shard, and only if its twin cannot tell.
                    if (_recentSet.Contains(key)) results[i] = Admission.Repeat;
                    // Whether the first of two equal facts is accepted is known only when its step is done.
                    else if (!(told ??= []).Add(key)) return i;
                }
            }
            catch (InvalidDataException e)
            {
                results[i] = Admission.Reject(e.Message);
            }
        }
        return batch.Count;
    }

    /// <summary>The next item that speaks to the engine, or the end.</summary>
    private static int ControlOr(InputBatch batch, int from)
    {
        while (from < batch.Count && Envelope.Read(batch[from]).Target.Id != TwinKey.Everyone) from++;
        return from;
    }

    /// <summary>Takes an input of another journal into this one, as it is there.</summary>
    private static Admission Import(ReadOnlySpan<byte> input, JournalBatch journal)
    {
        var kind = Envelope.Read(input).Kind;
        if (Input.KeyedByContent(kind)) journal.Contents.Add(ContentKey.Of(input));
        if (kind != InputKind.ReadingBlock)
        {
            journal.Add(input, int.MinValue, sealable: false);
            return Admission.Accept;
        }
        var block = ReadingBlock.Read(input);
        journal.Add(input, block.Day.Number, sealable: block is { IsLate: false, IsRevision: false });
        return Admission.Accept with { Readings = block.PresentCount };
    }

    private void Record(string source, JournalBatch journal, ReadOnlySpan<byte> input, AcceptedInput a)
    {
        var position = journal.Add(input, a.Day, a.Sealable);
        if (a.EndMinute != long.MinValue && !_imports) _watermark.Observe(source, a.EndMinute, a.Day);
        if (!Input.KeyedByContent(Envelope.Read(input).Kind)) return;
        // Such an input is journalled as it came.
        var key = _keys[a.Item];
        journal.Contents.Add(key);
        while (_recentKeys.Count > 0 && (_recentKeys.Peek().Position <= _journal.Position
            || _recentKeys.Count >= MaxRecentKeys))
            _recentSet.Remove(_recentKeys.Dequeue().Key);
        _recentKeys.Enqueue((position, key));
        _recentSet.Add(key);
    }

    /// <summary>Inputs for the engine itself: ticks, ends of sources, versions.</summary>
    private Admission Control(InputBatch batch, int item, JournalBatch journal, Consequences consequences)
    {
        Input input;
        try
        {
            input = Input.Read(batch[item]);
        }
        catch (InvalidDataException e)
        {
            return Admission.Reject(e.Message);
        }
        switch (input)
        {
            case SourceEnded end when !_watermark.WouldEnd(end.Source):
                return Admission.Repeat;
            case SourceEnded end:
                _watermark.End(end.Source);
                break;
            case Tick:
                _watermark.Tick();
                break;
            case Sweep when !_plane.HasWaiting:
                return Admission.Repeat;
            case Sweep:
                _plane.Sweep(batch[item].ToArray(), consequences);
                _plane.Keep(null, journal.Add(batch[item], int.MinValue, sealable: false), journal);
                return Admission.Accept;
            case DayClosed d when _imports:
                journal.Closed.Add((d.Day, journal.Add(batch[item], int.MinValue, sealable: false)));
                _plane.CloseDay(d.Day, consequences);
                _plane.Keep(d.Day, journal.LastPosition, journal);
                _watermark.Close(d.Day);
                return Admission.Accept;
            case JudgingVersion v:
                journal.JudgingVersion = v.Version;
                break;
            default:
                return Admission.Reject(
                    $"An input of kind {input.Kind} cannot be sent to everyone. Address it to one twin.");
        }
        journal.Add(batch[item], int.MinValue, sealable: false);
        return Admission.Accept;
    }

    private void CloseDays(JournalBatch journal, Consequences consequences)
    {
        while (!_imports && _watermark.NextToClose(_horizonDays) is { } day)
        {
            var position = journal.Add(new DayClosed(day).ToBytes(), int.MinValue, sealable: false);
            journal.Closed.Add((day, position));
            _plane.CloseDay(day, consequences);
            _plane.Keep(day, position, journal);
            _watermark.Close(day);
            NoteFound(journal, consequences);
            SweepAfter(day, journal, consequences);
            NoteFound(journal, consequences);
        }
    }

    /// <summary>What was stated since this was called last follows from the inputs so far.</summary>
    private static void NoteFound(JournalBatch journal, Consequences consequences)
    {
        while (journal.FoundAt.Count < consequences.Findings.Count) journal.FoundAt.Add(journal.LastPosition);
    }

    /// <summary>
    /// Findings of a closing become cases at once: a recording that is replayed holds no sweeps, and the last day of
    /// a source has none behind it. Its time is the watermark, which days close behind: what was found since is not
    /// put before it was found.
    /// </summary>
    private void SweepAfter(int day, JournalBatch journal, Consequences consequences)
    {
        if (!_plane.HasWaiting) return;
        var at = Math.Max(86_400L * (day + 1), 60 * (_watermark.Minute ?? 0));
        var sweep = new Sweep(new UnixTime(at)).ToBytes();
        _plane.Sweep(sweep, consequences);
        _plane.Keep(null, journal.Add(sweep, int.MinValue, sealable: false), journal);
    }

    /// <summary>
    /// Hands a batch, or a part of one, to the journal. <paramref name="items"/> answers the whole batch, with its last
    /// part.
    /// </summary>
    private void Finish(JournalBatch journal, Consequences consequences, ReadOnlySpan<Admission> part,
        Admission[] items, TaskCompletionSource<AppendReceipt>? done)
    {
        var marks = new Twin.Hardware.Coding.ByteWriter(64);
        _watermark.Write(marks);
        journal.Marks = marks.ToArray();
        journal.Findings.AddRange(consequences.Findings);
        journal.Ledger.AddRange(consequences.Ledger);
        journal.Publications.AddRange(consequences.Publications);
        Count(part, journal);
        int? closed = journal.Closed.Count > 0 ? _watermark.ClosedThrough : null;
        _position = journal.LastPosition;
        BytesSinceSnapshot += journal.Items.Length + journal.Kept.Count * 64L;
        if (!journal.IsEmpty) CountTwins();
        _writer.Enqueue(new PendingCommit(journal, items, consequences, done, closed));
    }

    private void Count(ReadOnlySpan<Admission> results, JournalBatch journal)
    {
        foreach (var r in results)
        {
            journal.Readings += r.Readings;
            _counters.Readings += r.Readings;
            _counters.Duplicates += r.Duplicates;
            _counters.Revisions += r.Revisions;
            _counters.Late += r.Late;
            if (r.Status == AdmissionStatus.Rejected) _counters.Rejected++;
        }
    }
}
