using Twin.Detection;
using Twin.Detection.Specification;
using Twin.Grains.Concentrators;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

// How readings become days, days are folded and judged.
public sealed partial class MeterTwin
{
    private void ApplyReadings(in ReadingBlock block)
    {
        var offset = block.StartMinute - block.Day.StartMinute;
        var fits = block.IsAdmitted && block.Day.Minutes % block.IntervalMinutes == 0
            && offset % block.IntervalMinutes == 0
            && Math.Abs((long)block.Day.Number) <= MaxDayNumber;
        if (!fits)
            throw new InvalidDataException($"A block of meter {Name} was never admitted or does not fit its day.");
        if (block.IsLate || block.Day.Number <= _closedThrough)
        {
            ApplyLate(block);
            return;
        }
        if (!_open.TryFind(block.Channel, block.Day.Number, out var at) && IsWholeDay(block)) PutWholeDay(block, at);
        else Merge(block, at);
    }

    private static bool IsWholeDay(in ReadingBlock block) =>
        block.IsPlain && block.SourceStamp == 0 && block.Count * block.IntervalMinutes == block.Day.Minutes;

    private void PutWholeDay(in ReadingBlock block, int at)
    {
        var values = DecodePlain(block);
        var sum = 0L;
        foreach (var v in values) sum += v;
        _open.Put(at, false, new OpenDay(block.Channel, OpenDayFlags.None, block.Day, block.IntervalMinutes),
            block.EncodedValues);
        Count(block.Channel, block.StartMinute, block.EndMinute, block.IntervalMinutes, values.Length, sum);
    }

    /// <summary>The values of a plain block, which must end where its bytes end.</summary>
    private static ReadOnlySpan<int> DecodePlain(in ReadingBlock block)
    {
        var values = Scratch.Mine.Values.AsSpan(0, block.Count);
        var r = new ByteReader(block.EncodedValues);
        ValueCodec.Decode(ref r, values);
        var isClean = r.AtEnd && !values.Contains(ReadingBlock.Missing);
        if (!isClean) throw r.Bad("a reading block holds other than its readings");
        return values;
    }

    private void Count(Channel channel, long start, long end, int intervalMinutes, int readings, long sum)
    {
        ref var state = ref ChannelOf(channel);
        state.Cover(start, end, intervalMinutes);
        state.Count(readings, sum, intervalMinutes);
    }

    /// <summary>
    /// Puts the block's readings over what the day holds. Counts what really changes, so that applying twice is
    /// harmless.
    /// </summary>
    private void Merge(in ReadingBlock block, int at)
    {
        var s = Scratch.Mine;
        var exists = _open.TryFind(block.Channel, block.Day.Number, out _);
        var head = new OpenDay(block.Channel, OpenDayFlags.None, block.Day, block.IntervalMinutes);
        var old = exists ? _open[at] : head;
        if (old.Day != head.Day || old.IntervalMinutes != head.IntervalMinutes)
            throw new InvalidDataException(
                $"Meter {Name}: the open day {head.Day.Date} has another zone or interval length than a block of it.");
        if (exists) s.Stored.Load(old, _open.Readings(at));
        else s.Stored.Reset(head.Slots);
        Overlay(block, s);
        s.Bytes.Clear();
        var flags = s.Stored.Store(s.Bytes);
        _open.Put(at, exists, head with { Flags = flags }, s.Bytes.Written);
    }

    private void Overlay(in ReadingBlock block, Scratch s)
    {
        var values = s.Values.AsSpan(0, block.Count);
        block.DecodeValues(values);
        block.DecodeQualities(s.Qualities);
        var (added, change) = (0, 0L);
        var (first, last) = (-1, -1);
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] == ReadingBlock.Missing) continue;
            ref var stored = ref s.Stored.Values[block.FirstSlot + i];
            if (stored == ReadingBlock.Missing) (added, change) = (added + 1, change + values[i]);
            else change += (long)values[i] - stored;
            stored = values[i];
            s.Stored.Qualities[block.FirstSlot + i] = s.Qualities[i];
            s.Stored.Stamps[block.FirstSlot + i] = block.SourceStamp;
            (first, last) = (first < 0 ? i : first, i);
        }
        if (first < 0) throw new InvalidDataException($"A reading block of meter {Name} holds no reading.");
        Count(block.Channel, block.StartMinute + (long)first * block.IntervalMinutes,
            block.StartMinute + (last + 1L) * block.IntervalMinutes, block.IntervalMinutes, added, change);
    }

    /// <summary>Of a closed day: sums and counters stay right, nothing is learned.</summary>
    private void ApplyLate(in ReadingBlock block)
    {
        var values = Scratch.Mine.Values.AsSpan(0, block.Count);
        block.DecodeValues(values);
        var (n, sum, first, last) = (0, 0L, -1, -1);
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] == ReadingBlock.Missing) continue;
            (n, sum, first, last) = (n + 1, sum + values[i], first < 0 ? i : first, i);
        }
        if (n == 0) throw new InvalidDataException($"A reading block of meter {Name} holds no reading.");
        var added = block.IsRevision ? n - block.PriorCount : n;
        if (added < 0)
            throw new InvalidDataException($"A revision of meter {Name} replaces more readings than it holds.");
        Count(block.Channel, block.StartMinute + (long)first * block.IntervalMinutes,
            block.StartMinute + (last + 1L) * block.IntervalMinutes, block.IntervalMinutes, added,
                sum - block.PriorSum);
        ChannelOf(block.Channel).Late += added;
    }

    private DayFeatures Fold(int at, bool closes, IOutbox outbox)
    {
        var s = Scratch.Mine;
        var head = _open[at];
        s.Stored.Load(head, _open.Readings(at));
        _model ??= new ReadingModel();
        var day = new DayReadings(head.Day, head.IntervalMinutes, s.Stored.Values, s.Stored.Qualities);
        _silentDays = 0;
        var awaits = closes && AskBackhaul(head.Day, head.IntervalMinutes, s.Stored.Values, outbox);
        var features = _model.Fold(day, SubjectOn(head.Day) with { AwaitsBackhaul = awaits }, s.SinkTo(outbox));
        CheckRegister(head.Day, head.IntervalMinutes, s.Stored.Values, outbox);
        _security?.JudgeFlow(SceneOf(outbox), Moment.Of(UnixTime.FromMinutes(head.Day.StartMinute)),
            Moment.Of(UnixTime.FromMinutes(head.Day.EndMinute)), features.TotalWh);
        AddExport(head.Day.Number, s, ref features);
        return features;
    }

    /// <summary>Days after which a channel that tells nothing any more is taken to be gone.</summary>
    private const int ChannelGoneDays = 35;

    /// <summary>
    /// A feeder's balance needs what its members feed in, too. Looks at this day and those before only: later ones may
    /// have come or not.
    /// </summary>
    private void AddExport(int day, Scratch s, ref DayFeatures features)
    {
        if (_open.TryFind(Channel.Export, day, out var at))
        {
            _exportDay = day;
            s.Stored.Load(_open[at], _open.Readings(at));
            features.AddExport(new DayReadings(_open[at].Day, _open[at].IntervalMinutes, s.Stored.Values,
                s.Stored.Qualities));
        }
        else if (_exportDay != NoDay && day - _exportDay <= ChannelGoneDays)
        {
            features.AddExport(default);
        }
    }

    /// <summary>After the fold: the sum check belongs to the same half of the model.</summary>
    private void CheckRegister(LocalDay day, int intervalMinutes, ReadOnlySpan<int> slots, IOutbox outbox) =>
        _log?.SumCheck?.Fold(day, intervalMinutes, slots, (from, to, intervals, register) =>
        {
            _model!.CheckSum(from, to, intervals, register, SubjectOn(day), Scratch.Mine.SinkTo(outbox));
            TellRegister(to, intervals, register, outbox);
        });

    private void FoldEmpty(int day, bool closes, IOutbox outbox)
    {
        var s = Scratch.Mine;
        var local = _zone.Day(day);
        if (local.Minutes is 0 or > LocalDay.MaxMinutes || local.Minutes % _import.IntervalMinutes != 0) return;
        s.Stored.Reset(local.Minutes / _import.IntervalMinutes);
        var empty = new DayReadings(local, _import.IntervalMinutes, s.Stored.Values, s.Stored.Qualities);
        var awaits = closes && AskBackhaul(local, _import.IntervalMinutes, s.Stored.Values, outbox);
        _ = _model!.Fold(empty, SubjectOn(local) with { AwaitsBackhaul = awaits }, s.SinkTo(outbox));
        CheckRegister(local, _import.IntervalMinutes, s.Stored.Values, outbox);
    }

    private DaySubject SubjectOn(in LocalDay day) =>
        new(new TwinKey(TwinKind.Meter, Id), Name, _relations.At(day.Number).Role, _contexts.On(day))
        {
            IsSwitchedOff = _security?.IsOffSince(Moment.Of(UnixTime.FromMinutes(day.StartMinute))) ?? false,
        };

    private void CloseDay(int day, IOutbox outbox)
    {
        if (Math.Abs((long)day) > MaxDayNumber)
            throw new InvalidDataException($"Day {day} cannot close: it is no day of any calendar.");
        if (day <= _closedThrough) return;
        _closing = null;
        ExplainGaps(null, outbox);
        var stated = Scratch.Mine.Stated;
        FoldThrough(day, outbox);
        _statedInFold = Scratch.Mine.Stated != stated;
        while (_open.Used > 0 && _open[0].Day.Number <= day) _open.Remove(0);
        if (_closing is null) TellNothing(day, outbox);
        _closedThrough = day;
        _security?.Sweep(SceneOf(outbox), Moment.Of(UnixTime.FromMinutes(_zone.Day(day).EndMinute)));
        ForgetOldContext();
    }

    /// <summary>
    /// Folds every day up to this one in order, empty ones too, as far as <see cref="MaxSilentDays"/> goes. The closing
    /// day is told to feeder and cohort and waits for their answers; an older one, which closes only now because the
    /// meter is new, is judged alone: its feeder and cohort have long closed it.
    /// </summary>
    private void FoldThrough(int day, IOutbox outbox)
    {
        for (var next = _closedThrough == NoDay ? NextOpenDay(NoDay, day) : _closedThrough + 1; next <= day; next++)
        {
            if (_open.TryFind(Channel.Import, next, out var at))
            {
                var features = Fold(at, next == day, outbox);
                if (next < day) Judge(_open[at].Day, features, default, outbox);
                else Tell(_open[at].Day, features, outbox);
            }
            else if (_model is null || _import.Stored == 0 || _silentDays >= MaxSilentDays)
            {
                next = NextOpenDay(next, day) - 1;
            }
            else
            {
                FoldEmpty(next, next == day, outbox);
                _silentDays++;
            }
        }
    }

    /// <summary>
    /// The first open day of the import channel from a day on; when there is none up to the limit, the day behind it.
    /// </summary>
    private int NextOpenDay(int from, int limit)
    {
        for (var at = 0; at < _open.Used; at = _open.Next(at))
        {
            var head = _open[at];
            if (head.Channel == Channel.Import && head.Day.Number >= from) return Math.Min(head.Day.Number, limit + 1);
        }
        return limit + 1;
    }

    private void Tell(in LocalDay day, in DayFeatures features, IOutbox outbox)
    {
        var s = Scratch.Mine;
        var row = _relations.At(day.Number);
        s.Name.Clear();
        row.CohortName(s.Name);
        if (row.Feeder != 0)
        {
            s.More.Clear();
            features.Write(s.More);
            Send(TwinKind.Feeder, row.Feeder, new MeterDayMessage
            {
                Day = day, Role = row.Role, ReceiverName = row.FeederName(), HasData = true, Group = s.Name.Written,
                Features = s.More.Written,
            }, outbox);
        }
        s.More.Clear();
        features.WriteBrief(s.More);
        _closing = s.More.Written.ToArray();
        s.More.Clear();
        TakeNews(day, row.Role, s.More, outbox);
        Send(TwinKind.Cohort, row.Cohort, new MeterDayMessage
        {
            Day = day, Role = row.Role, ReceiverName = s.Name.Written, HasData = true, News = s.More.Written,
            Features = _closing,
        }, outbox);
    }

    /// <summary>A feeder must know that a member is missing, or it would take the gap for loss.</summary>
    private void TellNothing(int day, IOutbox outbox)
    {
        var row = _relations.At(day);
        if (row.Feeder != 0)
            Send(TwinKind.Feeder, row.Feeder, new MeterDayMessage
            {
                Day = _zone.Day(day), Role = row.Role, ReceiverName = row.FeederName(),
            }, outbox);
    }

    private static void Send(TwinKind kind, ulong to, scoped in MeterDayMessage told, IOutbox outbox)
    {
        var message = Scratch.Mine.Bytes;
        message.Clear();
        told.Write(message);
        outbox.Send(new TwinKey(kind, to), message.Written);
    }

    /// <summary>The answers of cohort and feeder: the closing day is judged and then forgotten.</summary>
    /// <exception cref="InvalidDataException">A message is damaged.</exception>
    protected override void ReceiveMail(IInbox inbox, IOutbox outbox)
    {
        try
        {
            Hear(inbox, outbox);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"A message to meter {Name} is damaged: {e.Message}", e);
        }
    }

    /// <summary>What cohort and feeder answered to the closing day.</summary>
    private struct Answers
    {
        public CohortDay? Cohort;
        public FeederDay? Feeder;
        public AlarmBar Bar;
        public float CohortWh, FeederChange;
        public FeederRecord Record;

        public readonly SlowPeers Slow => new(CohortWh, Feeder is { IsStatement: true } ? FeederChange : float.NaN,
            Feeder is { LossShare: not 0 } f ? f.MissingWh / f.LossShare : 0, Cohort?.Warm ?? 0);
    }

    private void Hear(IInbox inbox, IOutbox outbox)
    {
        var answers = new Answers { FeederChange = float.NaN };
        (BackhaulDay? backhaul, var day) = (null, NoDay);
        for (var i = 0; i < inbox.Count; i++)
        {
            var r = new ByteReader(inbox[i].Body);
            var kind = MessageHead.Read(ref r, out var version);
            day = Math.Max(day, MessageHead.ReadDay(ref r));
            // Answers from before bars and slow references were known end behind the day.
            if (kind == MessageKind.CohortDay)
            {
                answers.Cohort = CohortDay.Read(ref r, version);
                if (!r.AtEnd) (answers.Bar, answers.CohortWh) = (AlarmBar.Read(ref r), r.Single());
            }
            else if (kind == MessageKind.FeederDay)
            {
                answers.Feeder = FeederDay.Read(ref r, version);
                if (!r.AtEnd) answers.FeederChange = r.Single();
                if (!r.AtEnd)
                    answers.Record = new FeederRecord((ContextFlags)r.Byte() & FeederRecord.ForMembers, r.Bool());
            }
            else if (kind == MessageKind.BackhaulDay) backhaul = BackhaulDay.ReadBody(day, ref r);
            else throw r.Bad($"meter {Name} got a message that is no answer");
        }
        if (backhaul is not null) ExplainGaps(backhaul, outbox);
        if (_closing is null) return;
        var kept = new ByteReader(_closing);
        var features = DayFeatures.Read(ref kept);
        if (features.Day != day) return;
        _closing = null;
        Judge(new LocalDay(day, features.StartMinute, features.Minutes), features, answers, outbox);
    }

    private void Judge(in LocalDay day, in DayFeatures features, in Answers answers, IOutbox outbox)
    {
        var s = Scratch.Mine;
        _model ??= new ReadingModel();
        var stated = s.Stated;
        var subject = SubjectOn(day) with { Bar = answers.Bar, Others = OthersOn(day), Learned = LearnedOn(day) };
        var doubted = ContextTrust.Doubted(subject.Context, answers.Record, features, LacksOrder(day));
        subject = subject with { Context = subject.Context | answers.Record.Context, Doubted = doubted };
        var verdict = _model.Judge(features, subject, answers.Cohort, answers.Feeder, s.SinkTo(outbox));
        NoteScore(features, verdict, s.Stated != stated);
        JudgeSlowly(features, subject, answers, s.SinkTo(outbox));
        if (day.Number == _closedThrough) TellGroups(day, _statedInFold || s.Stated != stated, outbox);
        _lastScoreDay = day.Number;
        _lastScore = verdict.Score;
        _lastTop = verdict.Top ?? "";
        s.Score(outbox, new DayScore(Meter, Name, day.Number, verdict.Score, _lastTop));
    }

    private void JudgeSlowly(in DayFeatures features, in DaySubject subject, in Answers answers, IFindingSink sink)
    {
        if (subject.Role != MeterRole.Customer) return;
        _overcount.Take(features, subject, answers.Cohort, answers.Feeder, sink);
        _anchor.Take(features, subject, answers.Slow, sink);
    }
}
