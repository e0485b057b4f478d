using Twin.Detection;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

// Admission: what of an input is new. Reads the state, never changes it.
public sealed partial class MeterTwin
{
    /// <exception cref="InvalidDataException">The input is damaged.</exception>
    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        try
        {
            return Envelope.Read(input).Kind switch
            {
                InputKind.ReadingBlock => AdmitReadings(input, recall, accepted),
                InputKind.RegisterSnapshot or InputKind.DeviceEvent or InputKind.ContextPeriod or InputKind.Erasure
                    or InputKind.MeterSeen or InputKind.MeterRelation or InputKind.SupplyRecord
                    or InputKind.Verdict or InputKind.ModelOpinion =>
                        AdmitOther(input, accepted),
                InputKind.CustomerStatus or InputKind.CommandRequest => AdmitAnswer(input, accepted),
                var kind when IsSecurity(kind) => AdmitSecurity(input, recall, accepted),
                var kind => Admission.Reject($"meter {Name}: an input of kind {kind} does not come through this door"),
            };
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"An input for meter {Name} is damaged: {e.Message}", e);
        }
    }

    /// <summary>A register that is later than every one before: most are, and each would cost a look-up.</summary>
    public override bool IsSurelyNew(ReadOnlySpan<byte> input)
    {
        if (_log is null || Envelope.Read(input).Kind != InputKind.RegisterSnapshot) return false;
        return Input.Read(input) is RegisterSnapshot s && _log.IsLater(s);
    }

    private Admission AdmitOther(ReadOnlySpan<byte> input, IAccepted accepted)
    {
        var admission = Input.Read(input) switch
        {
            MeterSeen seen => AdmitSeen(seen),
            MeterRelation relation => AdmitRelation(relation),
            SupplyRecord => _supply.AsSpan().SequenceEqual(Envelope.Payload(input)) ? Admission.Repeat
                : input.Length > Relations.MaxRowBytes ? TooLong("supply record") : Admission.Accept,
            ContextPeriod period => Contexts.Check(period) is { } reason ? Admission.Reject($"meter {Name}: {reason}")
                : Admission.Accept,
            Erasure erasure => Math.Abs((long)erasure.BeforeDay) <= MaxDayNumber ? Admission.Accept
                : Admission.Reject($"meter {Name}: day {erasure.BeforeDay} is no day of any calendar; give a date"),
            DeviceEvent e => AdmitTime(e.At, "device event"),
            Verdict verdict => AdmitVerdict(verdict),
            ModelOpinion opinion => AdmitOpinion(opinion),
            RegisterSnapshot s => AdmitTime(s.At, "register snapshot"),
            var other =>
                Admission.Reject($"meter {Name}: an input of kind {other.Kind} does not come through this door"),
        };
        if (admission.Status == AdmissionStatus.Accepted) accepted.Add(input, int.MinValue, long.MinValue, false);
        return admission;
    }

    private Admission AdmitSeen(MeterSeen seen)
    {
        var known = KnownName();
        if (Collision(known, seen.Name) is { } collision) return collision;
        if (UnknownZone(seen.Zone) is { } reason) return Admission.Reject(reason);
        var changesName = seen.Name.Length > 0 && seen.Name != known;
        return changesName || WouldChangeZone(seen.Zone, seen.ZoneRank) ? Admission.Accept : Admission.Repeat;
    }

    /// <summary>Two utility ids that map to one meter id.</summary>
    private Admission? Collision(string known, string name) =>
        Meter.IsMapped && known.Length > 0 && name.Length > 0 && name.Trim() != known.Trim()
            ? Admission.Reject($"meter {Name}: the id {Meter} is also that of '{name}'; rename one of the two meters")
            : null;

    private Admission AdmitRelation(MeterRelation relation)
    {
        if (Collision(KnownName(), relation.Name) is { } collision) return collision;
        if (UnknownZone(relation.Zone) is { } reason) return Admission.Reject(reason);
        if (relation.ValidToDay <= relation.ValidFromDay)
            return Admission.Reject($"meter {Name}: a relation ends before it begins; correct valid_from and valid_to");
        if (relation.Role > MeterRole.Observer || relation.Category > CustomerCategory.Medical)
            return Admission.Reject($"meter {Name}: role or category is not known to this version; use a newer one");
        if (Relations.TextsOf(relation).Length > Relations.MaxRowBytes) return TooLong("fleet row");
        return _relations.Contains(relation) ? Admission.Repeat : Admission.Accept;
    }

    private Admission AdmitTime(UnixTime at, string what) => Contexts.IsPossible(at) ? Admission.Accept
        : Admission.Reject($"meter {Name}: a {what} lies at second {at.Seconds}, over 950 years from 1970; "
            + "correct the clock of the source");

    private Admission TooLong(string what) =>
        Admission.Reject($"meter {Name}: a {what} is over {Relations.MaxRowBytes} bytes; shorten its texts");

    private string? UnknownZone(string zone) => zone.Length == 0 || ZoneRules.TryGet(zone, out _) ? null
        : $"meter {Name}: zone '{zone}' is neither in TZDB {ZoneRules.TzdbVersion} nor an offset like +02:00; "
            + "correct it";

    private Admission AdmitReadings(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        var raw = ReadingBlock.Read(input);
        if (raw.IsAdmitted || raw.IsLate || raw.IsRevision)
            return Refuse(raw, raw.StartMinute,
                "it carries marks of an earlier admission; send it as the source sent it");
        if (Decode(raw) is { } damage) return Refuse(raw, raw.StartMinute, damage);
        if (Check(raw, recall) is { Status: AdmissionStatus.Rejected } refusal) return refusal;
        var total = new Tally();
        for (var from = 0; from < raw.Count;)
        {
            var day = DayAt(raw.StartMinute + (long)from * raw.IntervalMinutes);
            var count = SlotsIn(raw, day, from);
            AdmitPiece(raw, day, from, count, recall, accepted, ref total);
            from += count;
        }
        var status = total.Readings + total.Revisions > 0 ? AdmissionStatus.Accepted : AdmissionStatus.Duplicate;
        return new Admission(status, total.Readings, total.Duplicates, total.Revisions, total.Late, "");
    }

    /// <summary>
    /// What became of the readings of one block. <see cref="Late"/> counts those of <see cref="Readings"/> that came
    /// late.
    /// </summary>
    private struct Tally
    {
        public int Readings, Duplicates, Revisions, Late;
    }

    /// <summary>Decodes the block into the scratch buffers; a reason when it holds what no reading is.</summary>
    private static string? Decode(in ReadingBlock raw)
    {
        var s = Scratch.Mine;
        if (raw.IsPlain)
        {
            DecodePlain(raw);
            s.Qualities.AsSpan(0, raw.Count).Fill(Quality.Actual);
            return null;
        }
        raw.DecodeValues(s.Values);
        raw.DecodeQualities(s.Qualities);
        var present = 0;
        for (var i = 0; i < raw.Count; i++)
        {
            if (s.Values[i] == ReadingBlock.Missing) continue;
            if (s.Qualities[i] == Quality.Missing)
                return "a reading has a value but the quality 'missing'; give its quality";
            present++;
        }
        return present == 0 || present != raw.PresentCount ? "it holds no reading, or one out of range" : null;
    }

    private Admission Refuse(in ReadingBlock raw, long startMinute, string reason) => Admission.Reject(
        $"meter {Name}: readings of {raw.Channel} from {UnixTime.FromMinutes(startMinute)} at {raw.IntervalMinutes} "
            + $"minutes: {reason}");

    /// <summary>
    /// Refuses the whole block when one of its days cannot take its part, so that a block is never half accepted.
    /// </summary>
    private Admission Check(in ReadingBlock raw, IRecall recall)
    {
        var openDays = -1;
        var limit = FurthestMinute();
        for (var from = 0; from < raw.Count;)
        {
            var start = raw.StartMinute + (long)from * raw.IntervalMinutes;
            var day = DayAt(start);
            if (day.Minutes > LocalDay.MaxMinutes || day.Minutes % raw.IntervalMinutes != 0)
                return Refuse(raw, start,
                    $"the local day {day.Date} of {day.Minutes} minutes is no whole number of such intervals");
            if ((start - day.StartMinute) % raw.IntervalMinutes != 0)
                return Refuse(raw, start,
                    $"the start is off the grid of the local day {day.Date} in zone {_zone.Name}; declare the zone");
            if (start > limit)
                return Refuse(raw, start,
                    $"over {MaxDaysAhead} days after the meter's last day; correct the clock of the source");
            if (day.Number > _closedThrough)
            {
                var open = CheckOpen(raw, start, day, ref openDays);
                if (open.Status == AdmissionStatus.Rejected) return open;
            }
            else if (recall.IntervalOf(Meter, raw.Channel, day) is var held and not 0 && held != raw.IntervalMinutes)
            {
                return Refuse(raw, start, $"the closed day {day.Date} holds readings at another interval length, "
                    + $"{held} minutes; send one interval length a day");
            }
            from += SlotsIn(raw, day, from);
        }
        return Admission.Accept;
    }

    private Admission CheckOpen(in ReadingBlock raw, long start, in LocalDay day, ref int openDays)
    {
        if (_open.TryFind(raw.Channel, day.Number, out var at))
        {
            var held = _open[at];
            if (held.IntervalMinutes != raw.IntervalMinutes)
                return Refuse(raw, start,
                    $"the day {day.Date} already holds readings at {held.IntervalMinutes} minutes; "
                        + "send one interval length a day");
            return held.Day == day ? Admission.Accept
                : Refuse(raw, start,
                    $"the day {day.Date} is open in another zone than {_zone.Name}; send it again when it has closed");
        }
        if (openDays < 0) openDays = _open.Count(raw.Channel);
        return ++openDays <= MaxOpenDays ? Admission.Accept
            : Refuse(raw, start,
                $"{MaxOpenDays} days are open, no more are held; send it again when the horizon has closed some, "
                    + "or in the order of time");
    }

    /// <summary>The last minute at which a reading may begin.</summary>
    private long FurthestMinute()
    {
        var last = LastMinute();
        if (_import.Stored + (_others?.Sum(c => c.Stored) ?? 0) < EnoughToJudgeClock) return long.MaxValue;
        if (_closedThrough != NoDay) last = Math.Max(last, _zone.Day(_closedThrough).EndMinute);
        return last + MaxDaysAhead * 1440L;
    }

    /// <summary>The local day of an instant; days are cached by number, and an offset is never a day.</summary>
    private LocalDay DayAt(long minute)
    {
        var day = _zone.Day((int)Math.Floor(minute / 1440.0));
        while (minute < day.StartMinute) day = _zone.Day(day.Number - 1);
        while (minute >= day.EndMinute) day = _zone.Day(day.Number + 1);
        return day;
    }

    private static int SlotsIn(in ReadingBlock raw, in LocalDay day, int from)
    {
        var left = day.EndMinute - raw.StartMinute - (long)from * raw.IntervalMinutes;
        return (int)Math.Min(raw.Count - from, (left + raw.IntervalMinutes - 1) / raw.IntervalMinutes);
    }

    private void AdmitPiece(in ReadingBlock raw, in LocalDay day, int from, int count, IRecall recall,
        IAccepted accepted, ref Tally total)
    {
        var s = Scratch.Mine;
        var late = day.Number <= _closedThrough;
        var head = new ReadingBlock
        {
            Meter = Meter, Channel = raw.Channel, IntervalMinutes = raw.IntervalMinutes, SourceStamp = raw.SourceStamp,
            StartMinute = raw.StartMinute + (long)from * raw.IntervalMinutes, Day = day, IsAdmitted = true,
            IsLate = late,
        };
        if (!LoadStored(head, recall, s.Stored) && raw.IsPlain && count == raw.Count)
        {
            s.Bytes.Clear();
            ReadingBlock.WritePlain(s.Bytes, head, count, raw.EncodedValues);
            accepted.Add(s.Bytes.Written, day.Number, raw.EndMinute, !late);
            (total.Readings, total.Late) = (total.Readings + count, total.Late + (late ? count : 0));
            return;
        }
        var piece = Compare(head, from, count, s, ref total);
        if (late) total.Late += piece.Added;
        Emit(head, s.Added.AsSpan(0, count), piece.Added, from, s, accepted);
        (head.IsRevision, head.PriorCount, head.PriorSum) = (true, piece.Replaced, piece.PriorSum);
        Emit(head, s.Replaced.AsSpan(0, count), piece.Replaced, from, s, accepted);
    }

    /// <summary>
    /// Loads what is stored of the day, from memory while it is open, else from the history. False when that is
    /// nothing.
    /// </summary>
    private bool LoadStored(in ReadingBlock head, IRecall recall, DayBuffer stored)
    {
        var open = _open.TryFind(head.Channel, head.Day.Number, out var at);
        if (open)
        {
            stored.Load(_open[at], _open.Readings(at));
            return true;
        }
        stored.Reset(head.Day.Minutes / head.IntervalMinutes);
        return head.IsLate
            && recall.TryReadDay(Meter, head.Channel, head.Day, head.IntervalMinutes, stored.Values, stored.Qualities);
    }

    private readonly record struct Piece(int Added, int Replaced, long PriorSum);

    /// <summary>
    /// Sorts the readings of one day into new, replacing and repeated ones. A reading replaces a stored one of
    /// another value if its quality ranks higher, or equal with a source stamp that is not earlier; and one of the
    /// same value if its quality ranks higher: an estimate that is confirmed is an actual reading, in whichever order
    /// the two arrive.
    /// </summary>
    private static Piece Compare(in ReadingBlock head, int from, int count, Scratch s, ref Tally total)
    {
        var (added, replaced, prior) = (0, 0, 0L);
        var first = head.FirstSlot;
        for (var i = 0; i < count; i++)
        {
            var value = s.Values[from + i];
            (s.Added[i], s.Replaced[i]) = (ReadingBlock.Missing, ReadingBlock.Missing);
            if (value == ReadingBlock.Missing) continue;
            var stored = s.Stored.Values[first + i];
            if (stored == ReadingBlock.Missing)
            {
                s.Added[i] = value;
                added++;
                continue;
            }
            var (quality, old) = (s.Qualities[from + i], s.Stored.Qualities[first + i]);
            if (old == Quality.Missing) old = Quality.Actual;
            var wins = quality > old || (quality == old && value != stored
                && head.SourceStamp >= s.Stored.Stamps[first + i]);
            if (!wins)
            {
                total.Duplicates++;
                continue;
            }
            s.Replaced[i] = value;
            (replaced, prior) = (replaced + 1, prior + stored);
        }
        (total.Readings, total.Revisions) = (total.Readings + added, total.Revisions + replaced);
        return new Piece(added, replaced, prior);
    }

    /// <summary>Writes the readings that are present, trimmed to their span, as one admitted block.</summary>
    private static void Emit(ReadingBlock head, Span<int> slots, int present, int from, Scratch s, IAccepted accepted)
    {
        if (present == 0) return;
        var (first, last) = (0, slots.Length - 1);
        while (slots[first] == ReadingBlock.Missing) first++;
        while (slots[last] == ReadingBlock.Missing) last--;
        head.StartMinute += (long)first * head.IntervalMinutes;
        var count = last + 1 - first;
        s.Bytes.Clear();
        ReadingBlock.Write(s.Bytes, head, slots.Slice(first, count), s.Qualities.AsSpan(from + first, count));
        accepted.Add(s.Bytes.Written, head.Day.Number, head.StartMinute + (long)count * head.IntervalMinutes,
            !head.IsLate && !head.IsRevision);
    }
}
