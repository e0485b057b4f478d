using Twin.Grains.Cases;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

/// <summary>
/// A twin whose findings become cases. What it states is kept in its state until the next sweep, and told then to the
/// case of its subject, with what is known of it besides. All reports of a sweep go out in its first round, so that
/// what is done about findings is a function of reports, acts and sweeps alone.
/// </summary>
public abstract class ReportingTwin(ulong id) : TwinState(id)
{
    /// <summary>
    /// Reports kept until the next sweep. At the bound the oldest is not told: as a finding it is stored all the same.
    /// </summary>
    public const int MaxReports = 64;

    /// <summary>Encoded findings and requests, in order; null when there are none.</summary>
    private List<byte[]>? _reports;

    /// <inheritdoc/>
    public sealed override bool Waits => _reports is not null || WaitsBesides;

    /// <summary>True when the twin waits for a sweep for another reason than reports.</summary>
    protected virtual bool WaitsBesides => false;

    /// <summary>True for a twin that does something of its own at a sweep.</summary>
    protected virtual bool HearsSweeps => false;

    /// <summary>Room for one more command request before the next sweep.</summary>
    protected bool HasRoom => _reports is null || _reports.Count < MaxReports;

    /// <exception cref="InvalidDataException">The input is damaged, or of a kind that it cannot apply.</exception>
    public sealed override void Apply(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        var isSweep = Envelope.Read(input).Kind == InputKind.Sweep;
        if (!isSweep || HearsSweeps) ApplyInput(input, Meters.Scratch.Mine.ReportTo(this, outbox));
        if (isSweep) Tell(((Sweep)Input.Read(input)).At, outbox);
    }

    /// <exception cref="InvalidDataException">A message is damaged.</exception>
    public sealed override void Receive(IInbox inbox, IOutbox outbox) =>
        ReceiveMail(inbox, Meters.Scratch.Mine.ReportTo(this, outbox));

    protected abstract void ApplyInput(ReadOnlySpan<byte> input, IOutbox outbox);

    protected abstract void ReceiveMail(IInbox inbox, IOutbox outbox);

    /// <summary>What is known of the subject of a finding that this twin states, or of the twin itself.</summary>
    protected abstract SubjectContext ContextOf(UnixTime at);

    /// <summary>True when <see cref="ContextOf"/> speaks of that subject.</summary>
    protected virtual bool Describes(TwinKey subject) => subject.Id == Id;

    internal void Keep(FactKind kind, ReadOnlySpan<byte> fact)
    {
        if (kind != FactKind.Finding) return;
        Keep(fact.ToArray());
    }

    /// <summary>A command request, encoded as input.</summary>
    protected void Keep(CommandRequest request) => Keep(request.ToBytes());

    private void Keep(byte[] report)
    {
        _reports ??= [];
        if (_reports.Count == MaxReports) _reports.RemoveAt(0);
        _reports.Add(report);
    }

    private void Tell(UnixTime at, IOutbox outbox)
    {
        if (_reports is not { } reports) return;
        _reports = null;
        var message = new ByteWriter(512);
        foreach (var bytes in reports)
        {
            var report = IsRequest(bytes) ? new Report(at, null, (CommandRequest)Input.Read(bytes), ContextOf(at))
                : About(Finding.Read(bytes), at);
            message.Clear();
            AnswerHead.Write(message, AnswerKind.Report);
            report.Write(message);
            outbox.Send(report.Case, message.Written);
        }
    }

    private Report About(Finding finding, UnixTime at) => new(at, finding, null,
        Describes(finding.Subject) ? ContextOf(at) : SubjectContext.Of(finding.SubjectName));

    /// <summary>Requests begin as inputs do, and findings with a version that no input has.</summary>
    private static bool IsRequest(ReadOnlySpan<byte> bytes) => bytes[0] == Envelope.Version && bytes.Length
        > Envelope.Length && bytes[1] == (byte)InputKind.CommandRequest;

    protected void WriteReports(ByteWriter to)
    {
        to.VarUInt((ulong)(_reports?.Count ?? 0));
        foreach (var report in _reports ?? []) to.Blob(report);
    }

    protected void ReadReports(ref ByteReader r)
    {
        var count = r.Count(MaxReports);
        if (count == 0) return;
        _reports = new List<byte[]>(count);
        for (var i = 0; i < count; i++) _reports.Add(r.Blob().ToArray());
    }
}

/// <summary>Hands on what a twin says, and keeps its findings for the next sweep.</summary>
internal sealed class ReportingOutbox : IOutbox
{
    private ReportingTwin? _twin;
    private IOutbox? _outbox;

    public ReportingOutbox For(ReportingTwin twin, IOutbox outbox)
    {
        (_twin, _outbox) = (twin, outbox);
        return this;
    }

    public void Send(TwinKey to, ReadOnlySpan<byte> message) => _outbox!.Send(to, message);

    public void Publish(ReadOnlySpan<byte> message) => _outbox!.Publish(message);

    public void Fact(FactKind kind, ReadOnlySpan<byte> fact)
    {
        _outbox!.Fact(kind, fact);
        _twin!.Keep(kind, fact);
    }
}
