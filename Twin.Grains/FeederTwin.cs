using System.Buffers;
using Twin.Detection;
using Twin.Detection.Fleet;
using Twin.Grains.Cases;
using Twin.Grains.Fleet;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

/// <summary>What the meters of a group said about the day that closes, in id order.</summary>
internal sealed class MemberDay
{
    public LocalDay Day;
    public string Name = "";

    /// <summary>Members, and those of them that had a reading of the day.</summary>
    public int Count, WithData;
    private Member[] _members = [];

    public ReadOnlySpan<Member> Members => _members.AsSpan(0, Count);

    /// <summary>
    /// Reads an inbox. A message about another day than the latest is no part of this closing and is left out.
    /// </summary>
    /// <exception cref="InvalidDataException">A message is damaged.</exception>
    public static MemberDay? Collect(IInbox inbox)
    {
        if (inbox.Count == 0) return null;
        var collected = new MemberDay
        {
            Day = new LocalDay(int.MinValue, 0, 0),
            _members = ArrayPool<Member>.Shared.Rent(inbox.Count)
        };
        for (var i = 0; i < inbox.Count; i++)
        {
            var mail = inbox[i];
            var message = MeterDayMessage.Read(mail.Body);
            if (message.Day.Number < collected.Day.Number) continue;
            if (message.Day.Number > collected.Day.Number)
                (collected.Day, collected.Name, collected.Count, collected.WithData) =
                    (message.Day, message.Receiver, 0, 0);
            collected._members[collected.Count++] = new Member(new MeterId(mail.From.Id), message.Role,
                message.ReadFeatures());
            collected.WithData += message.HasData ? 1 : 0;
        }
        return collected;
    }

    public void Return()
    {
        ArrayPool<Member>.Shared.Return(_members);
        (_members, Count) = ([], 0);
    }
}

/// <summary>
/// The twin of the meters behind one transformer: folds their closing days and answers with the feeder's balance.
/// </summary>
public sealed class FeederTwin(ulong id) : ReportingTwin(id)
{
    private const byte StateVersion = 3;

    private string _name = "";
    private int _lastDay;
    private int _members;
    private int _withData;
    private Contexts _contexts;
    private FeederModel _model = new();
    private FeederLots _lots = new();

    /// <summary>
    /// Name (empty before the first day), day closed last, its members and those of them with readings.
    /// </summary>
    public FeederView View =>
        new(new TwinKey(TwinKind.Feeder, Id), _name, _members == 0 ? null : _lastDay, _members, _withData)
        {
            Contexts = _contexts.Spans.ToArray(),
        };

    protected override SubjectContext ContextOf(UnixTime at) => SubjectContext.Of(_name) with { Feeder = _name };

    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        if (Input.Read(input) is not ContextPeriod period)
            return Verdicts.Admit(input, $"feeder {Id:x16}", "only context periods and verdicts come through this door",
                accepted);
        if (Contexts.Check(period) is { } reason) return Admission.Reject($"feeder {Id:x16}: {reason}");
        accepted.Add(input, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }

    protected override void ApplyInput(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        var read = Input.Read(input);
        if (read is Verdict) return;
        if (read is not ContextPeriod period)
            throw new InvalidDataException($"Feeder {Id:x16} cannot apply this input.");
        _contexts.Add(period);
    }

    /// <exception cref="InvalidDataException">A message is damaged.</exception>
    protected override void ReceiveMail(IInbox inbox, IOutbox outbox)
    {
        try
        {
            Fold(inbox, outbox);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"A message to feeder {Id:x16} is damaged: {e.Message}", e);
        }
    }

    /// <summary>An observer that read the whole day, and never zero: whoever was dark was so alone.</summary>
    private static bool HadSupply(ReadOnlySpan<Member> members)
    {
        foreach (ref readonly var m in members)
            if (m.Role == MeterRole.Observer && ContextTrust.ReadThrough(m.Features)) return true;
        return false;
    }

    private void Fold(IInbox inbox, IOutbox outbox)
    {
        if (MemberDay.Collect(inbox) is not { } day) return;
        var s = Scratch.Mine;
        if (day.Name.Length > 0) _name = day.Name;
        var key = new TwinKey(TwinKind.Feeder, Id);
        var name = _name.Length > 0 ? _name : key.ToString();
        var subject = new DaySubject(key, name, MeterRole.Observer, _contexts.On(day.Day));
        var balance = _model.Fold(day.Day.Number, subject, day.Members, s.SinkTo(outbox));
        (_lastDay, _members, _withData) = (day.Day.Number, day.Count, day.WithData);
        var hadSupply = HadSupply(day.Members);
        day.Return();
        _contexts.DropEndedBy(day.Day.StartMinute * 60);
        s.Bytes.Clear();
        MessageHead.Write(s.Bytes, MessageKind.FeederDay);
        s.Bytes.VarInt(day.Day.Number);
        balance.Write(s.Bytes);
        s.Bytes.Single(_lots.IsReady ? _lots.Change : float.NaN);
        s.Bytes.Byte((byte)(subject.Context & FeederRecord.ForMembers));
        s.Bytes.Bool(hadSupply);
        outbox.Publish(s.Bytes.Written);
        if (balance.IsStatement) FollowLots(inbox, balance, outbox);
    }

    /// <summary>Whose meters the energy of the day went through, and once a week what follows for the fleet.</summary>
    private void FollowLots(IInbox inbox, in FeederDay balance, IOutbox outbox)
    {
        var energies = new Dictionary<string, float>(StringComparer.Ordinal);
        for (var i = 0; i < inbox.Count; i++)
        {
            var message = MeterDayMessage.Read(inbox[i].Body);
            if (message.Role != MeterRole.Customer || message.Day.Number != balance.Day) continue;
            var lot = LotOf(message.Group);
            energies[lot] = energies.GetValueOrDefault(lot) + message.ReadFeatures().TotalWh;
        }
        _lots.Take(balance.LossShare, energies);
        if (!_lots.IsReady || ((long)balance.Day + (long)(StableHash.Mix(Id) % FeederLots.TellDays))
            % FeederLots.TellDays != 0) return;
        FleetNews.WriteLots(Scratch.Mine.Bytes, balance.Day, _lots);
        outbox.Send(FleetPartition.Whole, Scratch.Mine.Bytes.Written);
    }

    /// <summary>Model and lot of a cohort's name: firmware changes, a lot does not.</summary>
    private static string LotOf(ReadOnlySpan<byte> group) => System.Text.Encoding.UTF8.GetString(group).Split('|') is
        [var model, _, var lot] ? $"{model}|{lot}" : "|";

    public override void Write(ByteWriter to)
    {
        to.Byte(StateVersion);
        to.Text(_name);
        to.VarInt(_lastDay);
        to.VarUInt((ulong)_members);
        to.VarUInt((ulong)_withData);
        _contexts.Write(to);
        _model.Write(to);
        _lots.Write(to);
        WriteReports(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static FeederTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        try
        {
            return Read(id, state);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"The state of feeder {id:x16} is damaged: {e.Message}", e);
        }
    }

    private static FeederTwin Read(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        var version = r.Byte();
        if (version is 0 or > StateVersion)
            throw r.Bad($"a feeder's state has version {version}, this MeterTwin knows {StateVersion}");
        var twin = new FeederTwin(id)
        {
            _name = r.Text(), _lastDay = MessageHead.ReadDay(ref r), _members = r.Count(int.MaxValue),
            _withData = r.Count(int.MaxValue), _contexts = Contexts.Read(ref r), _model = FeederModel.Read(ref r),
        };
        if (version > 1) twin._lots = FeederLots.Read(ref r);
        if (version > 2) twin.ReadReports(ref r);
        return r.AtEnd ? twin : throw r.Bad("bytes are left behind a feeder's state");
    }
}
