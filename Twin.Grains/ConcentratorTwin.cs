using Twin.Detection;
using Twin.Detection.Fleet;
using Twin.Detection.Network;
using Twin.Grains.Cases;
using Twin.Grains.Concentrators;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

/// <summary>
/// The twin of one concentrator: whether it speaks, who is heard over whom, what its sessions and its own firmware do.
/// When the day of a meter behind it closes with gaps, it answers when its backhaul was lost, so that a lost backhaul
/// is one finding and not one for each meter.
/// </summary>
public sealed class ConcentratorTwin(ulong id) : ReportingTwin(id)
{
    /// <summary>The model under which releases for concentrators are registered.</summary>
    internal const string ReleaseModel = "concentrator";
    private const byte StateVersion = 2;
    private const int MaxNameLength = 256;

    private string _name = "";
    private int _latencyMs;
    private long _routesAt;
    private Contexts _contexts;
    private BackhaulWatch _backhaul = new();
    private RouteTable _routes = new();
    private NetworkChecks _network = new();
    private ConcentratorSecurity _security = new();

    private Party Self => new(new TwinKey(TwinKind.Concentrator, Id),
        _name.Length > 0 ? _name : new TwinKey(TwinKind.Concentrator, Id).ToString());

    /// <summary>Each sweep may find it silent, once it has spoken.</summary>
    protected override bool WaitsBesides => _backhaul.LastReport != 0 || _security.HasLetters;

    protected override bool HearsSweeps => true;

    protected override SubjectContext ContextOf(UnixTime at) =>
        SubjectContext.Of(Self.Name) with { Concentrator = _name };

    /// <summary>The twin for people.</summary>
    public ConcentratorView View() => new(new TwinKey(TwinKind.Concentrator, Id), _name,
        _backhaul.LastReport == 0 ? null : new UnixTime(_backhaul.LastReport), _backhaul.PeriodSeconds,
        _backhaul.IsLost, [.. _backhaul.Spans], _latencyMs, [.. _routes.Members], [.. _routes.Neighbours],
        _security.IsBaselined, _security.Parts);

    /// <summary>
    /// Longest input but for reports and quotes, which have bounds of their own; a longer one is rejected.
    /// </summary>
    private const int MaxInputBytes = 4_096;

    /// <exception cref="InvalidDataException">The input is damaged.</exception>
    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        var read = Input.Read(input);
        if (read is not (ConcentratorReport or AttestationQuote) && input.Length > MaxInputBytes)
            return Admission.Reject(
                $"concentrator {Self.Name}: an input is over {MaxInputBytes} bytes; shorten its texts");
        if (Refuse(read) is { } reason) return Admission.Reject($"concentrator {Self.Name}: {reason}");
        if (read is AttestationQuote quote)
        {
            if (_security.IsLast(quote.Quote)) return Admission.Repeat;
            var verdict = _security.Verify(quote.Quote);
            accepted.Add((quote with { Verdict = verdict }).ToBytes(), int.MinValue, long.MinValue, false);
            return Admission.Accept;
        }
        accepted.Add(input, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }

    private string? Refuse(Input input) => input switch
    {
        ConcentratorReport r when r.Name.Length is 0 or > MaxNameLength =>
            $"a report has a name of {r.Name.Length} characters; give 1 to {MaxNameLength}",
        ConcentratorReport r when TwinKey.Named(TwinKind.Concentrator, r.Name).Id != Id =>
            $"a report of '{r.Name}' is addressed here; address it by its name",
        ConcentratorReport r when r.Seconds == 0 => "a report accounts for 0 seconds; give its period",
        ConcentratorReport r => Possible(r.At),
        ContextPeriod p => Contexts.Check(p),
        AttestationQuote q => Possible(q.At),
        KeyEvent k when k.PublicKey.Length is not (0 or 64 or 96) =>
            $"a public key has {k.PublicKey.Length} bytes; give X ‖ Y of 64 or 96",
        KeyEvent k => Possible(k.At),
        FrameFault f => Possible(f.At),
        Session s => Possible(s.At),
        NonceIssued n => Possible(n.At),
        Verdict v => v.Refusal() ?? Possible(v.At),
        _ => $"an input of kind {input.Kind} does not come through this door",
    };

    private static string? Possible(UnixTime at) => Contexts.IsPossible(at) ? null
        : $"an input lies at second {at.Seconds}, over 950 years from 1970; correct the clock of the source";

    /// <exception cref="InvalidDataException">Damaged, or a kind no concentrator knows.</exception>
    protected override void ApplyInput(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        var sink = Scratch.Mine.SinkTo(outbox);
        switch (Input.Read(input))
        {
            case ConcentratorReport report: Hear(report, sink); break;
            case Sweep sweep: OnSweep(sweep.At, outbox); break;
            case ContextPeriod period: _contexts.Add(period); break;
            case AttestationQuote quote: _security.Apply(quote, Self, sink); break;
            case KeyEvent key: _security.Apply(key, Self, sink); break;
            case FrameFault fault: _security.Apply(fault, Self, sink); break;
            case Verdict: break;
            case NonceIssued nonce: _security.Apply(nonce); break;
            case Session session:
                if (SessionRules.Judge(session, Self) is { } rogue) sink.Add(rogue);
                break;
            case var other:
                throw new InvalidDataException($"Concentrator {Self.Name} cannot apply an input of kind {other.Kind}.");
        }
    }

    private void Hear(ConcentratorReport report, IFindingSink sink)
    {
        _name = report.Name;
        var last = _backhaul.LastReport;
        var context = ContextBetween(last == 0 ? report.At.Seconds - report.Seconds : last, report.At.Seconds);
        _backhaul.Heard(report.At, report.Seconds, context, Self, _routes.Members.Count, sink);
        // An account of an older time says nothing of who is heard now.
        if (report.At.Seconds <= _routesAt) return;
        var unaccounted = _routesAt == 0 ? 0 : Math.Max(0, report.At.Seconds - _routesAt - report.Seconds);
        _routesAt = report.At.Seconds;
        _latencyMs = report.LatencyMs;
        _routes.Take(report.Routes, report.At, unaccounted);
        _network.Judge(_routes, report.LatencyMs, report.Seconds, report.At, context, Self, sink);
    }

    private ContextFlags ContextBetween(long from, long to) =>
        _contexts.On(new LocalDay(0, Math.DivRem(from, 60).Quotient,
            (int)Math.Clamp((to - from) / 60 + 1, 1, int.MaxValue / 2)));

    private void OnSweep(UnixTime at, IOutbox outbox)
    {
        _security.SendLetters(outbox);
        var context = ContextBetween(_backhaul.LastReport, at.Seconds);
        _backhaul.Judge(at, context, Self, _routes.Members.Count, Scratch.Mine.SinkTo(outbox));
    }

    /// <summary>Days of context that may still explain a silence.</summary>
    private const long KeptContext = 40 * 86_400;

    /// <summary>
    /// Meters ask, at the close of a day with gaps, when the backhaul was lost on it; cases, before something is
    /// isolated, how many are read through it. The one in a closing, the other in a sweep: never in one round.
    /// </summary>
    /// <exception cref="InvalidDataException">A message is damaged.</exception>
    protected override void ReceiveMail(IInbox inbox, IOutbox outbox)
    {
        try
        {
            Answer(inbox, outbox);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"A message to concentrator {Self.Name} is damaged: {e.Message}", e);
        }
    }

    private void Answer(IInbox inbox, IOutbox outbox)
    {
        var (day, from, to) = (int.MinValue, long.MaxValue, long.MinValue);
        for (var i = 0; i < inbox.Count; i++)
        {
            if (AnswerHead.IsOn(inbox[i].Body))
            {
                Isolation.Judge(inbox[i].Body, Self, _routes, outbox);
                continue;
            }
            var asked = GapDayMessage.Read(inbox[i].Body);
            if (asked.Day.Number > day) (day, from, to) = (asked.Day.Number, long.MaxValue, long.MinValue);
            if (asked.Day.Number < day) continue;
            (from, to) = (Math.Min(from, asked.Day.StartMinute), Math.Max(to, asked.Day.EndMinute));
        }
        if (day == int.MinValue) return;
        var s = Scratch.Mine;
        s.Bytes.Clear();
        new BackhaulDay(day, [.. _backhaul.LostWithin(from * 60, to * 60)]).Write(s.Bytes);
        outbox.Publish(s.Bytes.Written);
        _contexts.DropEndedBy(from * 60 - KeptContext);
    }

    public override void Write(ByteWriter to)
    {
        to.Byte(StateVersion);
        to.Text(_name);
        to.VarUInt((ulong)_latencyMs);
        to.VarInt(_routesAt);
        _contexts.Write(to);
        _backhaul.Write(to);
        _routes.Write(to);
        _network.Write(to);
        _security.Write(to);
        WriteReports(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static ConcentratorTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        try
        {
            return Read(id, state);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"The state of concentrator {id:x16} is damaged: {e.Message}", e);
        }
    }

    private static ConcentratorTwin Read(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        var version = r.Byte();
        if (version is 0 or > StateVersion)
            throw r.Bad($"a concentrator's state has version {version}, this MeterTwin knows {StateVersion}");
        var twin = new ConcentratorTwin(id)
        {
            _name = r.Text(), _latencyMs = r.Count(int.MaxValue),
            _routesAt = Input.ReadTime(ref r).Seconds, _contexts = Contexts.Read(ref r),
            _backhaul = BackhaulWatch.Read(ref r), _routes = RouteTable.Read(ref r),
            _network = NetworkChecks.Read(ref r), _security = ConcentratorSecurity.Read(ref r),
        };
        if (version > 1) twin.ReadReports(ref r);
        return r.AtEnd ? twin : throw r.Bad("bytes are left behind a concentrator's state");
    }
}
