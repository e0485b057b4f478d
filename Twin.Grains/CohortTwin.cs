using Twin.Detection;
using Twin.Detection.Fleet;
using Twin.Grains.Cases;
using Twin.Grains.Fleet;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

/// <summary>
/// The twin of the meters of one model, firmware and lot: folds their closing days and answers with what is usual
/// among them. Under another name it is the twin of the meters of one installer, contractor or plant, which only counts
/// them and those that were unusual, and tells the fleet; or the twin of how one model's meters behave, which hears
/// their fingerprints.
/// </summary>
public sealed class CohortTwin(ulong id) : ReportingTwin(id)
{
    private const byte StateVersion = 4;

    private string _name = "";
    private int _lastDay;
    private int _members;
    private CohortModel _model = new();

    /// <summary>Null in a cohort of model, firmware and lot.</summary>
    private GroupModel? _group;

    /// <summary>What people said of its members' findings, and the bar that the fleet learnt (0: none yet).</summary>
    private VerdictBook _verdicts = new();
    private double _bar;

    /// <summary>Not null in the twin of how a model's meters behave.</summary>
    private BehaviourModel? _behaviour;

    /// <summary>Name (empty before the first day), day closed last and its members.</summary>
    public CohortView View =>
        new(new TwinKey(TwinKind.Cohort, Id), _name, _members == 0 ? null : _lastDay, _members)
        {
            Verdicts = _verdicts.Counts.Select(c => new VerdictCount(c.Kind, c.True, c.Benign, c.False)).ToArray(),
            Bar = _bar, Factors = _verdicts.IsEmpty ? null : _verdicts.Factors.ToDictionary(f => f.Kind, f => f.Factor),
        };

    protected override SubjectContext ContextOf(UnixTime at) => _name.Split('|') is [var model, var firmware, var lot]
        ? SubjectContext.Of(_name) with { Model = model, Firmware = firmware, Lot = lot } : SubjectContext.Of(_name);

    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted) =>
        Verdicts.Admit(input, $"cohort {Id:x16}",
            "nothing but verdicts comes to a cohort from outside; address its meters", accepted);

    /// <summary>A verdict on what was said of the cohort itself.</summary>
    protected override void ApplyInput(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        if (Input.Read(input) is not Verdict verdict)
            throw new InvalidDataException(
                $"Cohort {Id:x16} cannot apply an input of kind {Envelope.Read(input).Kind}.");
        _verdicts.Note(verdict.About, verdict.Outcome);
    }

    /// <exception cref="InvalidDataException">A message is damaged.</exception>
    protected override void ReceiveMail(IInbox inbox, IOutbox outbox)
    {
        try
        {
            if (inbox.Count == 0) return;
            var first = inbox[0].Body;
            if (FleetNews.Is(first)) HearBar(inbox);
            else if (GroupDayMessage.Is(first)) FoldGroup(inbox, outbox);
            else if (IsOfBehaviour(first)) FoldPrints(inbox, outbox);
            else Fold(inbox, outbox);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"A message to cohort {Id:x16} is damaged: {e.Message}", e);
        }
    }

    private void Fold(IInbox inbox, IOutbox outbox)
    {
        if (MemberDay.Collect(inbox) is not { } day) return;
        var s = Scratch.Mine;
        if (day.Name.Length > 0) _name = day.Name;
        var usual = _model.Fold(day.Day.Number, day.Members);
        (_lastDay, _members) = (day.Day.Number, day.Count);
        var middle = MiddleWh(day.Members);
        day.Return();
        s.Bytes.Clear();
        MessageHead.Write(s.Bytes, MessageKind.CohortDay);
        s.Bytes.VarInt(day.Day.Number);
        usual.Write(s.Bytes);
        new AlarmBar(_bar, _verdicts.Factors).Write(s.Bytes);
        s.Bytes.Single(middle);
        outbox.Publish(s.Bytes.Written);
        TellScores(inbox, outbox);
    }

    /// <summary>Median energy of the members with a usable day, Wh; 0 when they are few.</summary>
    private static float MiddleWh(ReadOnlySpan<Member> members)
    {
        var values = new List<float>(members.Length);
        foreach (ref readonly var m in members)
            if (m.Role == MeterRole.Customer && m.Features.Has(DayMarks.Usable) && m.Features.TotalWh > 0)
                values.Add(m.Features.TotalWh);
        if (values.Count < CohortDay.FewestMembers) return 0;
        return Quantiles.Median(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(values));
    }

    /// <summary>
    /// Members' news: verdicts are kept here, how high scores get goes on to a partition of the fleet, which answers
    /// with the bar. Verdicts of this closing move the bar of the next.
    /// </summary>
    private void TellScores(IInbox inbox, IOutbox outbox)
    {
        ScoreSketch? blocks = null;
        for (var i = 0; i < inbox.Count; i++)
        {
            var message = MeterDayMessage.Read(inbox[i].Body);
            if (message.News.IsEmpty) continue;
            var news = MeterNews.Read(message.News);
            if (news.BlockMax > 0) (blocks ??= new ScoreSketch()).Add(news.BlockMax);
            foreach (var (kind, outcome) in news.Verdicts) _verdicts.Note(kind, outcome);
        }
        if (blocks is null) return;
        FleetNews.WriteScores(Scratch.Mine.Bytes, _lastDay, blocks);
        outbox.Send(FleetPartition.Of(Id), Scratch.Mine.Bytes.Written);
    }

    private void HearBar(IInbox inbox)
    {
        for (var i = 0; i < inbox.Count; i++)
            if (FleetNews.Read(inbox[i].Body).Bar is { } bar) _bar = bar;
    }

    private static bool IsOfBehaviour(ReadOnlySpan<byte> body)
    {
        var r = new ByteReader(body);
        return MessageHead.Read(ref r) is MessageKind.DevicePrint or MessageKind.Verdicts;
    }

    /// <summary>Prints of one round in the order of their instants, and of senders at one instant.</summary>
    private void FoldPrints(IInbox inbox, IOutbox outbox)
    {
        var prints = new List<(DevicePrintMessage Message, TwinKey From)>(inbox.Count);
        for (var i = 0; i < inbox.Count; i++)
        {
            var r = new ByteReader(inbox[i].Body);
            if (MessageHead.Read(ref r) == MessageKind.DevicePrint)
                prints.Add((DevicePrintMessage.Read(inbox[i].Body), inbox[i].From));
            else foreach (var (kind, outcome) in MeterNews.ReadVerdicts(ref r)) _verdicts.Note(kind, outcome);
        }
        prints.Sort((a, b) => a.Message.At != b.Message.At ? a.Message.At.CompareTo(b.Message.At)
            : a.From.CompareTo(b.From));
        _behaviour ??= new BehaviourModel();
        var sink = Scratch.Mine.SinkTo(outbox);
        foreach (var (message, from) in prints)
        {
            _name = "behaviour of " + message.Model;
            var self = new Party(new TwinKey(TwinKind.Cohort, Id), _name);
            _behaviour.Take(message.From(from), message.Model, self,
                _verdicts.FactorOf(FindingKind.FirmwareBehaviour), sink);
            _lastDay = Math.Max(_lastDay, (int)(message.At.Seconds / 86_400));
        }
        _members = Math.Max(1, _behaviour.Followed);
    }

    private void FoldGroup(IInbox inbox, IOutbox outbox)
    {
        var s = Scratch.Mine;
        var day = int.MinValue;
        for (var i = 0; i < inbox.Count; i++) day = Math.Max(day, GroupDayMessage.Read(inbox[i].Body).Day);
        _group ??= new GroupModel();
        for (var i = 0; i < inbox.Count; i++)
        {
            var message = GroupDayMessage.Read(inbox[i].Body);
            if (message.Day != day) continue;
            _group.Begin(day, message.Kind, message.Name);
            _group.Note(inbox[i].From.Id, message.IsUnusual, message.Counts);
        }
        (_name, _lastDay, _members) = ($"{_group.Kind.ToString().ToLowerInvariant()} {_group.Name}", day,
            _group.Members);
        if (!_group.IsCounted) return;
        s.Bytes.Clear();
        new FleetLetter(FleetLetterKind.GroupTotals, new UnixTime(day * 86_400L), Id, (byte)_group.Kind,
            (uint)_group.Members | (ulong)_group.Unusual << 32, false, _name, _group.Name).Write(s.Bytes);
        outbox.Send(FleetPartition.Whole, s.Bytes.Written);
    }

    public override void Write(ByteWriter to)
    {
        to.Byte(StateVersion);
        to.Text(_name);
        to.VarInt(_lastDay);
        to.VarUInt((ulong)_members);
        _model.Write(to);
        to.Bool(_group is not null);
        _group?.Write(to);
        to.Bool(_behaviour is not null);
        _behaviour?.Write(to);
        _verdicts.Write(to);
        to.Double(_bar);
        WriteReports(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static CohortTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        try
        {
            return Read(id, state);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"The state of cohort {id:x16} is damaged: {e.Message}", e);
        }
    }

    private static CohortTwin Read(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        var version = r.Byte();
        if (version is 0 or > StateVersion)
            throw r.Bad($"a cohort's state has version {version}, this MeterTwin knows {StateVersion}");
        var twin = new CohortTwin(id)
        {
            _name = r.Text(), _lastDay = MessageHead.ReadDay(ref r), _members = r.Count(int.MaxValue),
            _model = CohortModel.Read(ref r),
        };
        if (version > 1 && r.Bool()) twin._group = GroupModel.Read(ref r);
        if (version < 3) return r.AtEnd ? twin : throw r.Bad("bytes are left behind a cohort's state");
        if (r.Bool()) twin._behaviour = BehaviourModel.Read(ref r);
        (twin._verdicts, twin._bar) = (VerdictBook.Read(ref r), r.Double());
        if (version > 3) twin.ReadReports(ref r);
        return r.AtEnd ? twin : throw r.Bad("bytes are left behind a cohort's state");
    }
}
