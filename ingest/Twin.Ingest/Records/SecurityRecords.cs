using System.Text;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;
using Twin.Ingest.Blocks;

namespace Twin.Ingest.Records;

/// <summary>
/// A security record read. <paramref name="Meter"/>: the name of the meter that it is about, empty when it is about
/// none.
/// </summary>
internal sealed record SecurityRecord(Input Input, string Meter, UnixTime At);

/// <summary>Whom a kind of record is about.</summary>
internal enum SubjectColumn : byte { None, Meter, Either, Concentrator }

/// <summary>
/// Where certificates are held against: anchors (null: none were given), and the folder that <c>@file</c> names are
/// relative to (null: no files may be named).
/// </summary>
internal sealed record SecurityImport(TrustAnchors? Anchors, string? Folder);

/// <summary>
/// One kind of record. <paramref name="IsLive"/>: a head-end may post it as an observation; the others change whom or
/// what the fleet trusts and come by import only.
/// </summary>
internal sealed record SecurityKind(string Name, bool IsLive, SubjectColumn Subject, string[] Needed, string[] Optional,
    Func<Row, SecurityImport, UnixTime, Input> Make)
{
    public bool Knows(string column) => column switch
    {
        "kind" or "at" => true,
        "meter" => Subject is SubjectColumn.Meter or SubjectColumn.Either,
        "concentrator" => Subject is SubjectColumn.Either or SubjectColumn.Concentrator,
        _ => Needed.Contains(column) || Optional.Contains(column),
    };
}

/// <summary>
/// Records of firmware, keys, work, sessions and frames, one format for all: a column or property <c>kind</c>, an event
/// time <c>at</c>, and what the kind needs. docs/reference/formats.md lists them.
/// </summary>
internal static partial class SecurityRecords
{
    /// <summary>Bytes of one encoded record; a larger one (a report of thousands of routes) comes in parts.</summary>
    public const int MaxBytes = 48 * 1024;

    private static readonly string[] Features =
        [.. Enum.GetNames<FingerprintFeature>().Select(SnakeCase.Of)];

    /// <summary>Every kind there is.</summary>
    public static SecurityKind[] Kinds { get; } = [.. Registry(), .. Observed()];

    /// <summary>Every column there is.</summary>
    public static string[] Columns { get; } = [.. new[] { "kind", "at", "meter", "concentrator" }
        .Concat(Kinds.SelectMany(static k => k.Needed.Concat(k.Optional))).Distinct()];

    /// <exception cref="RowFault">A cell that makes no sense, named by its column.</exception>
    public static SecurityRecord Read(Row row, SecurityImport import, bool live)
    {
        var name = row["kind"].ToLowerInvariant().Replace('-', '_');
        var kind = Array.Find(Kinds, k => k.Name == name)
            ?? throw new RowFault("kind", $"is none of {string.Join(", ", Kinds.Select(static k => k.Name))}");
        if (live && !kind.IsLive)
            throw new RowFault("kind",
                $"is '{name}', which changes what the fleet trusts; import it with --security instead");
        foreach (var column in row.Columns)
            if (row.Has(column) && !kind.Knows(column))
                throw new RowFault(column, $"does not belong to kind {name}; leave it empty");
        foreach (var column in kind.Needed.Prepend("at"))
            if (!row.Has(column)) throw new RowFault(column, $"is missing; kind {name} needs it");
        CheckSubject(row, kind);
        var at = row.Time("at");
        var input = kind.Make(row, import, at);
        var w = new ByteWriter();
        input.Write(w);
        return w.Length <= MaxBytes ? new SecurityRecord(input, row["meter"], at)
            : throw new RowFault(kind.Needed[^1], $"makes a record of over {MaxBytes} bytes; send it in parts");
    }

    private static void CheckSubject(Row row, SecurityKind kind)
    {
        var (meter, concentrator) = (row.Has("meter"), row.Has("concentrator"));
        if (kind.Subject == SubjectColumn.Meter && !meter) throw new RowFault("meter", "is missing");
        if (kind.Subject == SubjectColumn.Concentrator && !concentrator)
            throw new RowFault("concentrator", "is missing");
        if (kind.Subject == SubjectColumn.Either && meter == concentrator)
            throw new RowFault("meter", "give either meter or concentrator");
        row.Text("concentrator");
        if (meter && Encoding.UTF8.GetByteCount(row["meter"].Trim()) is 0 or > MeterTable.MaxNameBytes)
            throw new RowFault("meter", $"is empty or longer than {MeterTable.MaxNameBytes} bytes");
    }

    private static MeterId Meter(Row row) => MeterId.ParseOrMap(row["meter"].Trim());

    private static TwinKey Subject(Row row) => row.Has("meter") ? Meter(row).Twin
        : TwinKey.Named(TwinKind.Concentrator, row["concentrator"].Trim());

    private static UnixTime Never => new(0);

    private static SwitchState Switch(Row row) => new(row.Truth("output"),
        (byte)row.Whole("control_state", 0, 2, row.Truth("output") ? 1 : 0), (byte)row.Whole("control_mode", 0, 7, 0));
}
