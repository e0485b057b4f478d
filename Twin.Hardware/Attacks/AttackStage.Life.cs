using Twin.Hardware.Attestation;
using Twin.Hardware.Emulator.Network;
using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.Events;

namespace Twin.Hardware.Attacks;

/// <summary>Hands on the meter, what flows past it, and what the registry says of its life.</summary>
public sealed partial class AttackStage
{
    public void OpenTerminalCover(int meter)
    {
        Zeus(meter).Touch(TamperInput.TerminalCover, true, Now);
        Zeus(meter).Touch(TamperInput.TerminalCover, false, Now);
    }

    /// <summary>The case is opened; the reaction table has the meter refuse writes for a while.</summary>
    public void OpenCase(int meter)
    {
        Zeus(meter).Touch(TamperInput.MeterCover, true, Now);
        Zeus(meter).Touch(TamperInput.MeterCover, false, Now);
    }

    /// <summary>A strong magnet: the sensor reads two thirds less.</summary>
    public void ApplyMagnet(int meter)
    {
        Zeus(meter).Touch(TamperInput.Magnet, true, Now);
        Meter(meter).Flow = (_, flow) => flow with { FieldError = -0.66 };
    }

    /// <summary>One phase is not seen any more, and the meter notices current without voltage.</summary>
    public void Rewire(int meter)
    {
        Meter(meter).Flow = (_, flow) => flow with { LostPhases = 1 };
        Zeus(meter).Application.Happen(MeterEventKind.CurrentWithoutVoltage, Now);
    }

    /// <summary>A circuit on the wire between the boards passes on a share of what metrology measures.</summary>
    /// <exception cref="InvalidOperationException">The meter has one board only.</exception>
    public void TapWire(int meter, double share)
    {
        var wire = Zeus(meter).BoardWire
            ?? throw new InvalidOperationException($"Meter {meter} has one board and no wire.");
        long kept = 0;
        wire.Tap = record =>
        {
            var passed = (int)(record.ImportWh * share);
            kept += record.ImportWh - passed;
            return record with { ImportWh = passed, ImportRegister = (uint)(record.ImportRegister - kept) };
        };
    }

    /// <summary>What meters report differs from now on from what flows, in one of the ways of the literature.</summary>
    public void Distort(int[] meters, ReadingDistortion distortion)
    {
        foreach (var meter in meters)
        {
            var m = Meter(meter);
            m.Flow = new Distortion(_fleet.Plan.World, m.Plan.Home, distortion, Now).Apply;
        }
    }

    /// <summary>The sensors of all meters of one meter's lot drift from now on.</summary>
    public void DriftLot(int meter) => Distort(LotOf(meter), ReadingDistortion.Drift);

    /// <summary>The crystals of all meters of one meter's lot age by so many parts per million.</summary>
    public void AgeLot(int meter, double ppm)
    {
        foreach (var other in LotOf(meter)) Zeus(other).AgeCrystal(Now, ppm);
    }

    private int[] LotOf(int meter)
    {
        var lot = Meter(meter).Plan.Lot;
        int[] meters = [.. _fleet.Meters.Where(m => m.Plan.Lot == lot).Select(m => m.Index)];
        _concerned.UnionWith(meters);
        return meters;
    }

    /// <summary>The public client writes to the concentrator's meters; the concentrator logs the association.</summary>
    public void OpenRogueSession(int meter)
    {
        var name = _fleet.Plan.ConcentratorNames[Meter(meter).Plan.Concentrator];
        var services = (byte)(1 << (int)FrameService.Get | 1 << (int)FrameService.Set);
        _told.Add(new Session(TwinKey.Named(TwinKind.Concentrator, name), Now, CommandOrigin.Mesh, 16, 0, true,
            services, 40, "MTX-0001", "", ""));
    }

    /// <summary>
    /// What happens in any fleet: a technician visits by order, a supply is switched off and on by order.
    /// </summary>
    public void VisitByOrder(int meter)
    {
        var order = _fleet.HeadEnd.Order(meter, Now, "Own staff", "display does not answer",
            CommandKind.WriteConfiguration);
        Reprogram(meter, "tool-0001", "Own staff", order);
    }

    /// <inheritdoc cref="VisitByOrder"/>
    public void SwitchByOrder(int meter, bool on)
    {
        var order = _fleet.HeadEnd.Order(meter, Now, "", on ? "paid" : "moved out",
            on ? CommandKind.Reconnect : CommandKind.Disconnect);
        _fleet.HeadEnd.Ask(meter, on, Now, Billing, order, on ? "paid" : "moved out");
    }

    /// <summary>Two installers note each other's premises.</summary>
    public void SwapPremises(int one, int other)
    {
        foreach (var (meter, place) in (ReadOnlySpan<(int, int)>)[(one, other), (other, one)])
        {
            var p = Meter(meter).Plan;
            _told.Add(new Installation(p.Id, Now, p.Installer, p.Contractor,
                _fleet.Plan.Relation(Meter(place).Plan).UsagePoint, default, -1, -1));
        }
    }

    /// <summary>The register calls the meter scrapped; it goes on speaking.</summary>
    public void Retire(int meter) =>
        _told.Add(new LifeCycleChanged(Meter(meter).Id, Now, LifeCycle.Retired, "scrap yard"));
}
