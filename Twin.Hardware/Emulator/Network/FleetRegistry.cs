namespace Twin.Hardware.Emulator.Network;

/// <summary>
/// What the utility's registry says of a fleet before its first frame: releases, then each meter's making, keys,
/// calibration, mounting and place, in the order in which it happened.
/// </summary>
internal static class FleetRegistry
{
    private const int Day = 86_400;

    public static IEnumerable<Input> Of(FleetPlan plan, FleetFirmware firmware, HeadEnd headEnd,
        IReadOnlyList<FleetMeter> meters)
    {
        var oldest = new UnixTime(plan.Start.Seconds - 500L * Day);
        foreach (var image in firmware.Registered) yield return FleetFirmware.ReleaseOf(image, oldest);
        for (var f = 0; f < plan.Options.Feeders; f++)
        {
            var feeder = plan.World.Feeders[f];
            if (!feeder.HasObserver) continue;
            var relation = plan.World.Fleet[feeder.FirstMeter] with
            {
                Concentrator = plan.ConcentratorNames[plan.ConcentratorOf(f)],
            };
            yield return new MeterSeen(relation.Meter, relation.Name, plan.Options.Zone, 3);
            yield return relation;
        }
        foreach (var meter in meters)
            foreach (var input in Of(plan, headEnd, meter)) yield return input;
    }

    private static IEnumerable<Input> Of(FleetPlan plan, HeadEnd headEnd, FleetMeter meter)
    {
        yield return new MeterSeen(meter.Id, meter.Name, plan.Options.Zone, 3);
        foreach (var made in meter.Making)
        {
            if (made is Installation) yield return plan.Relation(meter.Plan);
            yield return made is SupplyRecord record
                ? record with { Installer = meter.Installer, Contractor = meter.Contractor } : made;
        }
        var table = meter.Zeus.Application.Table;
        yield return new ReactionTableAssigned(meter.Id, meter.Plan.Installed, table.Version, headEnd.Sign(table));
    }
}
