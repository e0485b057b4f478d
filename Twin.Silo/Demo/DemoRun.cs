using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Emulator.Network;
using Twin.Silo.Emulation;

namespace Twin.Silo.Demo;

/// <summary>
/// Plays the demo's scene on its fleet: frames over the mesh, through the intake, to the twins; acts at their times.
/// </summary>
internal sealed class DemoRun : IDisposable
{
    /// <summary>Findings that are looked at; a demo states far fewer.</summary>
    private const int MaxFindings = 10_000;

    private readonly IFleet _twins;
    private readonly FleetRun _run;
    private bool _isRegistered;
    private readonly Dictionary<string, UnixTime> _first = new(StringComparer.Ordinal);

    public DemoRun(int meters, ulong seed, IFleet twins)
    {
        _twins = twins;
        Fleet = new EmulatedFleet(DemoScene.OptionsFor(meters, seed));
        Scene = new DemoScene(Fleet);
        _run = new FleetRun(Fleet, twins);
    }

    public EmulatedFleet Fleet { get; }
    public DemoScene Scene { get; }
    public FleetRunTotals Totals => _run.Totals;

    /// <summary>Brings fleet and twins forward; what happens before that time has happened then.</summary>
    public async Task Until(UnixTime to, CancellationToken cancel)
    {
        if (!_isRegistered) await _run.Append([.. Scene.Registry().Select(i => i.ToBytes())], cancel);
        _isRegistered = true;
        while (Scene.Next is { } next && next.Seconds < to.Seconds)
        {
            await _run.Until(next, cancel);
            await _run.Append(Scene.Play(), cancel);
        }
        await _run.Until(to, cancel);
        foreach (var f in await Findings(cancel)) _first.TryAdd(f.Id, f.DetectedAt);
    }

    /// <summary>What was found by now, and when each was stated first: a series is stated again as it grows.</summary>
    public async Task<DemoReport> Report(CancellationToken cancel) =>
        new(Scene, Fleet.Now, await Findings(cancel), _first, Ordered());

    private int Ordered() => _twins.Ledger.EntriesAfter(0).Where(e => e.Entry.Kind == LedgerKind.Order)
        .Select(e => ResponseRecord.Read(e.Entry.Body))
        .Count(r => r.Rung == ResponseRung.Disconnect && r.RequestedBy.Person == District.Employee.Person);

    private ValueTask<IReadOnlyList<Finding>> Findings(CancellationToken cancel) =>
        _twins.Findings(new FindingQuery(null, null, null, null, MaxFindings), cancel);

    public void Dispose() => Fleet.Dispose();
}
