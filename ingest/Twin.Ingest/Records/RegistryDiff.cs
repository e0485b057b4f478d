using Twin.Hardware;

namespace Twin.Ingest.Records;

/// <summary>What an import would do to one meter.</summary>
public enum DiffKind : byte { Same, New, Changed }

/// <summary>One record of an import against what the fleet holds. <paramref name="Changes"/>: <c>lot: 'A1' →
/// 'A2'</c>.</summary>
public sealed record DiffEntry(Input Record, string Meter, DiffKind Kind, IReadOnlyList<string> Changes);

/// <summary>A dry run: fleet and registry records against the records that hold now. Nothing is written.</summary>
public static class RegistryDiff
{
    /// <param name="relation">The meter's relation that holds at the record's beginning, null when there is
    /// none.</param>
    /// <param name="supply">The meter's supply record, null when there is none.</param>
    public static IEnumerable<DiffEntry> Of(IEnumerable<Input> records, Func<MeterRelation, MeterRelation?> relation,
        Func<MeterId, SupplyRecord?> supply)
    {
        foreach (var record in records)
        {
            if (record is MeterRelation r)
                yield return Entry(r, r.Name, Fields(r), relation(r) is { } old ? Fields(old) : null);
            else if (record is SupplyRecord s)
                yield return Entry(s, s.Name, Fields(s), supply(s.Meter) is { } known ? Fields(known) : null);
        }
    }

    private static DiffEntry Entry(Input record, string meter, (string Name, string Value)[] now,
        (string Name, string Value)[]? before)
    {
        if (before is null) return new DiffEntry(record, meter, DiffKind.New, []);
        var changes = new List<string>();
        for (var i = 0; i < now.Length; i++)
            if (now[i].Value != before[i].Value) changes.Add($"{now[i].Name}: '{before[i].Value}' → '{now[i].Value}'");
        return new DiffEntry(record, meter, changes.Count == 0 ? DiffKind.Same : DiffKind.Changed, changes);
    }

    private static (string, string)[] Fields(MeterRelation r) =>
    [
        ("role", r.Role.ToString()), ("feeder", r.Feeder), ("model", r.Model), ("firmware", r.Firmware), ("lot", r.Lot),
        ("installed", r.Installed), ("usage_point", r.UsagePoint), ("phase", r.Phase), ("zone", r.Zone),
        ("concentrator", r.Concentrator), ("region", r.Region), ("category", r.Category.ToString()),
        ("valid_from", Shown(r.ValidFromDay)), ("valid_to", Shown(r.ValidToDay)),
    ];

    private static (string, string)[] Fields(SupplyRecord s) =>
    [
        ("manufacturer", s.Manufacturer), ("plant", s.Plant), ("lot", s.Lot), ("supplier", s.Supplier),
        ("calibration_digest", s.CalibrationDigest), ("installer", s.Installer), ("contractor", s.Contractor),
        ("shipped", s.Shipped),
    ];

    private static string Shown(int day) => day is int.MinValue or int.MaxValue ? "" : LocalDay.FormatDate(day);
}
