using Twin.Hardware;
using Twin.Hardware.Emulator;

namespace Twin.Ingest.Generate;

/// <summary>
/// What goes with the readings: the fleet, the recorded context, and the truth (which no replay reads).
/// </summary>
internal static class RecordFiles
{
    public const string Fleet = "fleet.csv", Context = "context.csv", Labels = "labels.csv";

    public static long WriteFleet(World world, string directory)
    {
        using var to = new Utf8File(Path.Combine(directory, Fleet));
        to.Text("meter,role,feeder,model,firmware,lot,installed,usage_point,phase,zone,"
            + "concentrator,region,category,valid_from,valid_to\n");
        foreach (var m in world.Fleet)
        {
            var category = m.Category == CustomerCategory.Unknown ? "" : m.Category.ToString().ToLowerInvariant();
            var role = m.Role == MeterRole.Observer ? "observer" : "customer";
            to.Text($"{m.Name},{role},{m.Feeder},{m.Model},{m.Firmware},{m.Lot},{m.Installed},"
                + $"{m.UsagePoint},{m.Phase},{m.Zone},{m.Concentrator},{m.Region},{category},,\n");
        }
        return to.Complete();
    }

    /// <summary>Instants in UTC, the end exclusive.</summary>
    public static long WriteContext(World world, string directory)
    {
        using var to = new Utf8File(Path.Combine(directory, Context));
        to.Text("meter,kind,from,to,note\n");
        foreach (var c in world.Context)
            to.Text($"{c.Meter},{Kind(c.Period.Context)},{c.Period.From},{c.Period.To},\"{c.Period.Note}\"\n");
        return to.Complete();
    }

    /// <summary>Days are local dates, both inclusive.</summary>
    public static long WriteLabels(World world, string directory)
    {
        using var to = new Utf8File(Path.Combine(directory, Labels));
        to.Text("meter,feeder,kind,nature,from_day,to_day,note\n");
        foreach (var l in world.Labels)
            to.Text($"{l.Meter},{l.Feeder},{l.KindName},{l.NatureName},"
                + $"{world.LocalDay(l.FromDay).Date},{world.LocalDay(l.ToDay).Date},\"{l.Note}\"\n");
        return to.Complete();
    }

    private static string Kind(ContextKind kind) => kind switch
    {
        ContextKind.Outage => "outage",
        ContextKind.TariffChange => "tariff_change",
        ContextKind.MoveIn => "move_in",
        ContextKind.Exchange => "exchange",
        _ => "planned_work",
    };
}
