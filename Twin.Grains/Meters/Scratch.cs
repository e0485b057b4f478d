using Twin.Detection;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Meters;

/// <summary>
/// Buffers that a thread lends to the twin it is running: nothing in them outlives one call, so twins stay small.
/// </summary>
internal sealed class Scratch : IFindingSink
{
    [ThreadStatic] private static Scratch? t_mine;

    public static Scratch Mine => t_mine ??= new Scratch();

    public readonly int[] Values = new int[ValueCodec.MaxValues];
    public readonly Quality[] Qualities = new Quality[ValueCodec.MaxValues];
    public readonly DayBuffer Stored = new();
    public readonly int[] Added = new int[LocalDay.MaxMinutes];
    public readonly int[] Replaced = new int[LocalDay.MaxMinutes];
    public readonly ByteWriter Bytes = new(1024);
    public readonly ByteWriter More = new(256);
    public readonly ByteWriter Name = new(64);

    /// <summary>Findings stated on this thread so far: the difference over a call tells whether it stated any.
    /// </summary>
    public long Stated { get; private set; }

    private readonly ByteWriter _fact = new(512);
    private readonly ReportingOutbox _reporting = new();
    private IOutbox? _outbox;

    /// <summary>The outbox that keeps findings for the twin's next sweep.</summary>
    public IOutbox ReportTo(ReportingTwin twin, IOutbox outbox) => _reporting.For(twin, outbox);

    /// <summary>The sink that turns findings into facts of this outbox.</summary>
    public IFindingSink SinkTo(IOutbox outbox)
    {
        _outbox = outbox;
        return this;
    }

    void IFindingSink.Add(Finding finding)
    {
        Stated++;
        _fact.Clear();
        finding.Write(_fact);
        _outbox!.Fact(FactKind.Finding, _fact.Written);
    }

    public void Score(IOutbox outbox, in DayScore score)
    {
        _fact.Clear();
        score.Write(_fact);
        outbox.Fact(FactKind.Score, _fact.Written);
    }
}
