using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Cases;

/// <summary>
/// The queue of a desk. It finds storms: entries of one cause, or of one kind, that overlap in event time become one
/// case; and it keeps the day's budget: what goes beyond is one case of what goes beyond, and said so. An entry of
/// another cause and kind stays a case of its own, however many others there are.
/// </summary>
public sealed class DeskTwin(ulong id) : TwinState(id)
{
    private const byte StateVersion = 1;

    /// <summary>Entries whose causes are compared; at the bound the oldest is forgotten and can found no storm.
    /// </summary>
    public const int MaxRecent = 4_096;

    /// <summary>Groups that still take members; at the bound the one that was quiet longest takes no more.</summary>
    public const int MaxGroups = 256;

    /// <summary>Event times so far apart, s, still overlap; a group takes no member after so long a silence.</summary>
    public const int WindowSeconds = 24 * 3_600;

    private readonly record struct Entry(string Cause, TwinKey Case, int Number, long At, byte[] Body);

    private sealed record Group(string Cause, TwinKey Case, long LastAt);

    private List<Entry> _recent = [];
    private List<Group> _groups = [];
    private long _now, _dayAt;
    private int _opened, _beyond;

    private Desk Desk => (Desk)Id;

    /// <summary>The desk for people: its day, cases opened in it, and those beyond the budget.</summary>
    public DeskView View() => new(Desk, new UnixTime(_dayAt), _opened, _beyond, _groups.Count);

    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted) =>
        Admission.Reject($"desk {Desks.NameOf(Desk)}: nothing comes through this door; address its cases");

    public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox) =>
        throw new InvalidDataException($"Desk {Id} cannot apply an input of kind {Envelope.Read(input).Kind}.");

    /// <exception cref="InvalidDataException">A message is damaged.</exception>
    public override void Receive(IInbox inbox, IOutbox outbox)
    {
        try
        {
            for (var i = 0; i < inbox.Count; i++)
            {
                var r = new ByteReader(inbox[i].Body);
                if (AnswerHead.Read(ref r) != AnswerKind.Entered) throw r.Bad("a desk takes entries only");
                var body = r.Rest;
                Enter(DeskEntry.Read(ref r), body, outbox);
            }
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"A message to desk {Id} is damaged: {e.Message}", e);
        }
    }

    private void Enter(DeskEntry entry, ReadOnlySpan<byte> body, IOutbox outbox)
    {
        _now = Math.Max(_now, entry.At.Seconds);
        if (entry.Ended) return;
        // The same cause in two desks' words is the same: a kind alone, where no cause is shared.
        var cause = entry.Cause.Length > 0 ? entry.Cause : Finding.NameOf(entry.Kind);
        _groups.RemoveAll(g => _now - g.LastAt > WindowSeconds);
        _recent.RemoveAll(e => _now - e.At > WindowSeconds);
        if (_groups.FindIndex(g => g.Cause == cause) is >= 0 and var at)
        {
            Join(_groups[at].Case, entry.Case, entry.Number, Placing.Grouped, body, outbox);
            _groups[at] = _groups[at] with { LastAt = _now };
            return;
        }
        if (_recent.Exists(e => e.Case == entry.Case && e.Number == entry.Number))
        {
            Answer(entry.Case, entry.Number, Placing.Queued, default, outbox);
            return;
        }
        if (_recent.Count == MaxRecent) _recent.RemoveAt(0);
        _recent.Add(new Entry(cause, entry.Case, entry.Number, _now, body.ToArray()));
        if (entry.StormSize > 1 && _recent.Count(e => e.Cause == cause) >= entry.StormSize) Found(cause, outbox);
        else Queue(entry, body, outbox);
    }

    /// <summary>A storm is found: all of it, those that were queued before too, becomes one case.</summary>
    private void Found(string cause, IOutbox outbox)
    {
        var group = CaseKey.OfGroup(Desk, cause, new UnixTime(_now));
        if (_groups.Count == MaxGroups) _groups.Remove(_groups.MinBy(g => g.LastAt)!);
        _groups.Add(new Group(cause, group, _now));
        foreach (var e in _recent.Where(e => e.Cause == cause))
            Join(group, e.Case, e.Number, Placing.Grouped, e.Body, outbox);
        _recent.RemoveAll(e => e.Cause == cause);
    }

    private void Queue(DeskEntry entry, ReadOnlySpan<byte> body, IOutbox outbox)
    {
        var day = _now - (_now % 86_400 + 86_400) % 86_400;
        if (day != _dayAt) (_dayAt, _opened, _beyond) = (day, 0, 0);
        // What is grave is never hidden in a crowd.
        if (entry.DeskBudget < 0 || _opened < entry.DeskBudget || entry.Severity == Severity.Critical)
        {
            _opened++;
            Answer(entry.Case, entry.Number, Placing.Queued, default, outbox);
            return;
        }
        _beyond++;
        Join(CaseKey.OfGroup(Desk, "beyond the day's budget", new UnixTime(_dayAt)), entry.Case, entry.Number,
            Placing.Overflow, body, outbox);
    }

    private static void Join(TwinKey group, TwinKey member, int number, Placing placing, ReadOnlySpan<byte> body,
        IOutbox outbox)
    {
        var s = Scratch.Mine.Bytes;
        s.Clear();
        AnswerHead.Write(s, AnswerKind.Member);
        s.Bytes(body);
        outbox.Send(group, s.Written);
        Answer(member, number, placing, group, outbox);
    }

    private static void Answer(TwinKey to, int number, Placing placing, TwinKey group, IOutbox outbox)
    {
        var s = Scratch.Mine.Bytes;
        s.Clear();
        AnswerHead.Write(s, AnswerKind.Placed);
        new DeskPlace(number, placing, group).Write(s);
        outbox.Send(to, s.Written);
    }

    public override void Write(ByteWriter to)
    {
        to.Byte(StateVersion);
        to.VarInt(_now);
        to.VarInt(_dayAt);
        to.VarUInt((ulong)_opened);
        to.VarUInt((ulong)_beyond);
        to.VarUInt((ulong)_recent.Count);
        foreach (var e in _recent)
        {
            to.Text(e.Cause);
            to.UInt64(e.Case.Id);
            to.VarUInt((ulong)e.Number);
            to.VarInt(e.At);
            to.Blob(e.Body);
        }
        to.VarUInt((ulong)_groups.Count);
        foreach (var g in _groups)
        {
            to.Text(g.Cause);
            to.UInt64(g.Case.Id);
            to.VarInt(g.LastAt);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static DeskTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        if (r.Byte() is not StateVersion and var version)
            throw r.Bad($"a desk's state has version {version}, this MeterTwin knows {StateVersion}");
        var twin = new DeskTwin(id)
        {
            _now = Input.ReadTime(ref r).Seconds, _dayAt = Input.ReadTime(ref r).Seconds,
            _opened = r.Count(int.MaxValue), _beyond = r.Count(int.MaxValue),
        };
        var recent = r.Count(MaxRecent);
        for (var i = 0; i < recent; i++)
            twin._recent.Add(new Entry(r.Text(), new TwinKey(TwinKind.Case, r.UInt64()), r.Count(int.MaxValue),
                Input.ReadTime(ref r).Seconds, r.Blob().ToArray()));
        var groups = r.Count(MaxGroups);
        for (var i = 0; i < groups; i++)
            twin._groups.Add(new Group(r.Text(), new TwinKey(TwinKind.Case, r.UInt64()),
                Input.ReadTime(ref r).Seconds));
        return r.AtEnd ? twin : throw r.Bad("bytes are left behind a desk's state");
    }
}

/// <summary>A desk for people. <paramref name="Beyond"/>: cases beyond the budget of the day.</summary>
public sealed record DeskView(Desk Desk, UnixTime Day, int Opened, int Beyond, int Groups);
