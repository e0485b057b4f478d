using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// What lists need of one meter. About 250 bytes, texts shared; times in seconds, <c>long.MinValue</c> for never.
/// </summary>
internal sealed class MeterRow
{
    public required MeterId Id { get; init; }
    public required string Name { get; init; }
    public required string Feeder { get; init; }
    public required string Concentrator { get; init; }
    public required string Region { get; init; }
    public required string Model { get; init; }
    public required string Firmware { get; init; }
    public required string Lot { get; init; }
    public required string UsagePoint { get; init; }
    public MeterRole Role { get; init; }
    public CustomerCategory Category { get; init; }
    public long FirstReading { get; init; }
    public long LastReading { get; init; }
    public int? ScoreDay { get; init; }
    public double Score { get; init; }

    /// <summary>Mean power, W; −1: not known.</summary>
    public int LoadWatts { get; init; }

    /// <summary>Mean of its stored intervals, tenths of a volt; 0: not measured.</summary>
    public int MeanVoltage { get; init; }

    /// <summary>Whether its output is on; null where it has no switch, or told nothing of it.</summary>
    public bool? Output { get; init; }

    /// <summary>Model, firmware and lot by the registry: the name of its cohort.</summary>
    public required string Cohort { get; init; }

    /// <param name="card">As the twin tells.</param>
    /// <param name="share">Gives one object for equal texts.</param>
    /// <param name="version">Name of a version.</param>
    public static MeterRow Of(MeterCard card, Func<string, string> share, Func<FirmwareStep, string> version)
    {
        var r = card.Relation;
        return new MeterRow
        {
            Id = card.Id, Name = card.Name, Feeder = share(r?.Feeder ?? ""),
            Concentrator = share(r?.Concentrator ?? ""), Region = share(r?.Region ?? ""),
            Model = share(r?.Model ?? ""), Lot = share(r?.Lot ?? ""),
            Firmware = share(card.Firmware is [.., var last] ? version(last) : r?.Firmware ?? ""),
            Cohort = share(r?.CohortName ?? ""), UsagePoint = r?.UsagePoint ?? "", Role = r?.Role ?? MeterRole.Customer,
            Category = r?.Category ?? CustomerCategory.Unknown,
            FirstReading = card.FirstReading?.Seconds ?? long.MinValue,
            LastReading = card.LastReading?.Seconds ?? long.MinValue, ScoreDay = card.ScoreDay, Score = card.Score,
            LoadWatts = card.LoadWatts, MeanVoltage = (int)Math.Min(card.MeanVoltage, int.MaxValue),
            Output = card.Switch?.Output,
        };
    }
}

/// <summary>What figures of the fleet need of one finding.</summary>
internal readonly record struct FindingRow(TwinKey Subject, FindingKind Kind, Severity Severity, int Day, float Score);

/// <summary>
/// Meters of a feeder, cohort or concentrator. <paramref name="SwitchableWatts"/>: load that somebody could switch off
/// from afar. <paramref name="Heard"/>: meters that ever had a reading.
/// </summary>
internal readonly record struct GroupTotals(int Meters, int Heard, long Watts, long SwitchableWatts, int Voltages,
    long VoltageSum)
{
    public GroupTotals With(MeterRow m) => new(Meters + 1, Heard + (m.LastReading == long.MinValue ? 0 : 1), Watts
        + Load(m), SwitchableWatts + (m.Output == true
        ? Load(m) : 0), Voltages + (m.MeanVoltage > 0 ? 1 : 0), VoltageSum + m.MeanVoltage);

    /// <summary>An observer measures what its members use: it is no load of its own.</summary>
    private static long Load(MeterRow m) => m.Role == MeterRole.Customer ? Math.Max(0, m.LoadWatts) : 0;
}

/// <summary>How many meters of a model came to a version, or left it, on a day.</summary>
internal sealed class VersionDays
{
    /// <summary>Change in the number of meters by day; <c>int.MinValue</c>: since ever.</summary>
    public SortedDictionary<int, int> Changes { get; } = [];

    public void Add(int day, int by) => Changes[day] = Changes.GetValueOrDefault(day) + by;

    /// <summary>Meters that have it at the end of each of so many days.</summary>
    public int[] On(int from, int days)
    {
        var counts = new int[days];
        foreach (var (day, by) in Changes)
            for (var i = Math.Max(0L, (long)day - from); i < days; i++) counts[i] += by;
        return counts;
    }
}

/// <summary>The fleet as it was at one moment; never changed once it is made.</summary>
internal sealed class FleetPicture
{
    /// <summary>When it was read, and how far the journal was then.</summary>
    public required UnixTime At { get; init; }
    public required long Position { get; init; }

    /// <summary>By id, ascending.</summary>
    public required MeterRow[] Meters { get; init; }

    /// <summary>Newest first, at most <see cref="FleetIndex.MaxFindings"/> of <see cref="FleetIndex.FindingDays"/>.
    /// </summary>
    public required FindingRow[] Findings { get; init; }

    /// <summary>False when the bound left some out.</summary>
    public required bool HasAllFindings { get; init; }
    public required IReadOnlyDictionary<string, GroupTotals> Feeders { get; init; }
    public required IReadOnlyDictionary<string, GroupTotals> Cohorts { get; init; }
    public required IReadOnlyDictionary<string, GroupTotals> Concentrators { get; init; }
    public required IReadOnlyDictionary<(string Model, string Version), VersionDays> Versions { get; init; }

    /// <summary>Names of feeders and cohorts by the id of their twin.</summary>
    public required IReadOnlyDictionary<TwinKey, string> Names { get; init; }

    /// <summary>The groups of a kind that a caller may see, each with what it may see of it.</summary>
    public IReadOnlyDictionary<string, GroupTotals> Groups(TwinKind kind, Caller caller)
    {
        if (caller.Regions.Count == 0)
            return kind switch
            {
                TwinKind.Feeder => Feeders,
                TwinKind.Cohort => Cohorts,
                _ => Concentrators,
            };
        var groups = new Dictionary<string, GroupTotals>();
        foreach (var m in Meters)
        {
            if (caller.Covers(m.Region) && GroupOf(m, kind) is { Length: > 0 } name)
                groups[name] = groups.GetValueOrDefault(name).With(m);
        }
        return groups;
    }

    /// <summary>Which group of a kind a meter belongs to; empty for none.</summary>
    public static string GroupOf(MeterRow m, TwinKind kind) => kind switch
    {
        TwinKind.Feeder => m.Feeder,
        TwinKind.Cohort => m.Role == MeterRole.Customer ? m.Cohort : "",
        _ => m.Concentrator,
    };

    /// <summary>The group of a kind that a finding is about; empty for none, or when it is not known.</summary>
    public string GroupOf(TwinKey subject, TwinKind kind) => subject.Kind == TwinKind.Meter
        ? Find(new MeterId(subject.Id)) is { } row ? GroupOf(row, kind) : ""
        : subject.Kind == kind ? Names.GetValueOrDefault(subject, "") : "";

    public MeterRow? Find(MeterId id)
    {
        var (low, high) = (0, Meters.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Meters[middle].Id.CompareTo(id) < 0) low = middle + 1;
            else high = middle;
        }
        return low < Meters.Length && Meters[low].Id == id ? Meters[low] : null;
    }
}
