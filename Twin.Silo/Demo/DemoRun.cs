using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Emulator.Network;
using Twin.Silo.Emulation;

namespace Twin.Silo.Demo;

/// <summary>
/// Plays the demo's scene on its fleet: frames over the mesh, through the intake, to the twins; acts at their times.
/// </summary>
internal sealed class DemoRun : IDisposable
{
    private readonly FleetRun _run;

    public DemoRun(int meters, ulong seed, IFleet twins)
    {
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
        while (Scene.Next is { } next && next.Seconds < to.Seconds)
        {
            await _run.Until(next, cancel);
            foreach (var told in Scene.Play()) await _run.Append(told, cancel);
        }
        await _run.Until(to, cancel);
    }

    public void Dispose() => Fleet.Dispose();
}
