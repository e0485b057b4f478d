using System.Globalization;
using System.Text.Json;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Events;

namespace Twin.Ingest.Records;

// Every kind of record with its columns. The order is that of the documentation.
internal static partial class SecurityRecords
{
    private static SecurityKind[] Registry() =>
    [
        new("release", false, SubjectColumn.None, ["image", "part", "model", "name", "version"],
            ["security_version", "withdrawn", "reason"], static (row, _, at) => new Release(row.DigestOf("image"), at,
                row.Choice<FirmwarePart>("part"), row.Text("model"), row.Text("name"), row.UInt32("version"),
                (ushort)row.Whole("security_version", 0, ushort.MaxValue, 0), row.TimeOr("withdrawn", Never),
                row.Text("reason"))),
        new("campaign", false, SubjectColumn.Meter, ["campaign", "part", "image", "version", "to"],
            ["from", "allows_downgrade", "state"], static (row, _, at) => new CampaignMember(Meter(row), at,
                row.Text("campaign"), row.Choice<FirmwarePart>("part"), row.DigestOf("image"), row.UInt32("version"),
                row.TimeOr("from", at), After(row, "to", row.TimeOr("from", at)), row.Truth("allows_downgrade"),
                row.ChoiceOr("state", CampaignState.Queued))),
        new("key", false, SubjectColumn.Either, [],
            ["slot", "change", "suite", "public_key", "certificate", "expires", "actor"], KeyRecords.Read),
        new("work_order", false, SubjectColumn.Meter, ["order", "commands", "to"], ["from", "contractor", "note"],
            static (row, _, at) => new WorkOrder(Meter(row), at, row.Text("order"),
                (ushort)row.Bits<CommandKind>("commands"), row.TimeOr("from", at),
                After(row, "to", row.TimeOr("from", at)), row.Text("contractor"), row.Text("note"))),
        new("installation", false, SubjectColumn.Meter, ["installer"],
            ["contractor", "usage_point", "replaced", "replaced_final_wh", "start_wh"],
            static (row, _, at) => new Installation(Meter(row), at, row.Text("installer"), row.Text("contractor"),
                row.Text("usage_point"), row.Has("replaced") ? MeterId.ParseOrMap(row["replaced"]) : default,
                row.Whole("replaced_final_wh", 0, long.MaxValue, -1), row.Whole("start_wh", 0, long.MaxValue, -1))),
        new("life_cycle", false, SubjectColumn.Meter, ["stage"], ["actor"], static (row, _, at) =>
            new LifeCycleChanged(Meter(row), at, row.Choice<LifeCycle>("stage"), row.Text("actor"))),
        new("reverification", false, SubjectColumn.Meter, ["authority"], ["calibration", "image"],
            static (row, _, at) => row.Has("calibration") || row.Has("image")
                ? new Reverification(Meter(row), at, row.DigestOf("calibration"), row.DigestOf("image"),
                    row.Text("authority"))
                : throw new RowFault("calibration", "is missing; give the digest of calibration, image, or both")),
        new("reaction_table", false, SubjectColumn.Meter, ["version", "table"], [], static (row, _, at) =>
            new ReactionTableAssigned(Meter(row), at, row.UInt32("version"), row.Bytes("table", 16 * 1024))),
        new("checkpoint", false, SubjectColumn.Meter, ["seq", "head"], [], static (row, _, at) =>
            new CheckpointIssued(Meter(row), at, row.UInt32("seq"), row.DigestOf("head"))),
        new("verdict", false, SubjectColumn.Meter, ["finding", "about", "outcome"], ["by", "why"],
            static (row, _, at) => new Verdict(Meter(row).Twin, at, row.ShortDigest("finding"),
                row.Choice<FindingKind>("about"), row.Choice<Outcome>("outcome"), row.Text("by"), row.Text("why"))),
    ];

    private static SecurityKind[] Observed() =>
    [
        new("challenge", true, SubjectColumn.Either, ["nonce"], [], static (row, _, at) =>
            new NonceIssued(Subject(row), at, Nonce(row))),
        new("quote", true, SubjectColumn.Either, ["quote"], [], static (row, _, at) =>
            new AttestationQuote(Subject(row), at, row.Bytes("quote", 16 * 1024), SignatureVerdict.Unchecked)),
        new("frame", true, SubjectColumn.Either, ["key", "counter", "digest", "size"], ["direction", "service"],
            static (row, _, at) => new FrameReceived(Subject(row), at, row.Choice<KeySlot>("key"),
                row.ChoiceOr("direction", FrameDirection.FromMeter), row.UInt32("counter"), row.ShortDigest("digest"),
                (int)row.Whole("size", 0, int.MaxValue, 0), row.ChoiceOr("service", FrameService.Other))),
        new("frame_fault", true, SubjectColumn.Either, ["fault"], ["offset", "digest", "where", "reason"],
            static (row, _, at) => new FrameFault(Subject(row), at, row.Choice<FrameFaultKind>("fault"),
                (int)row.Whole("offset", 0, int.MaxValue, 0), row.ShortDigest("digest"), row.Text("where"),
                row.Text("reason"))),
        new("session", true, SubjectColumn.Either, ["port", "client", "mechanism", "succeeded"],
            ["services", "seconds", "tool", "contractor", "order"], static (row, _, at) => new Session(Subject(row), at,
                row.Choice<CommandOrigin>("port"), (byte)row.Whole("client", 0, 255, 0),
                (byte)row.Whole("mechanism", 0, 7, 0), row.Truth("succeeded"),
                ServicesOf(row), (int)row.Whole("seconds", 0, int.MaxValue, 0),
                row.Text("tool"), row.Text("contractor"), row.Text("order"))),
        new("command", true, SubjectColumn.Meter, ["command", "origin", "result", "output"],
            ["control_state", "control_mode", "order", "actor", "detail"], static (row, _, at) =>
            new CommandOutcome(Meter(row), at, row.Choice<CommandKind>("command"), row.Choice<CommandOrigin>("origin"),
                row.Choice<CommandResult>("result"), Switch(row), row.Text("order"), row.Text("actor"),
                row.Text("detail"))),
        new("reaction", true, SubjectColumn.Meter, ["version", "event", "action"], [], static (row, _, at) =>
            new Reaction(Meter(row), at, row.UInt32("version"), row.Choice<MeterEventKind>("event"),
                row.Choice<ReactionAction>("action"))),
        new("fingerprint", true, SubjectColumn.Meter, [], ["image", .. Features], static (row, _, at) =>
            new Fingerprint(Meter(row), at, row.ShortDigest("image"), Values(row))),
        new("concentrator_report", true, SubjectColumn.Concentrator, ["seconds", "routes"], ["latency_ms"],
            static (row, _, at) => new ConcentratorReport(Subject(row), row["concentrator"].Trim(), at,
                (int)row.Whole("seconds", 1, 366 * 86_400, 0), (int)row.Whole("latency_ms", 0, int.MaxValue, 0),
                Routes(row))),
    ];

    private static UnixTime After(Row row, string column, UnixTime from)
    {
        var to = row.Time(column);
        return to.CompareTo(from) > 0 ? to : throw new RowFault(column, "is not after its beginning (it is exclusive)");
    }

    private static UInt128 Nonce(Row row) => row["nonce"].Length == 32 && UInt128.TryParse(row["nonce"],
        NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var nonce)
        ? nonce : throw new RowFault("nonce", "is no nonce of 32 hexadecimal digits");

    private static float[] Values(Row row)
    {
        if (!Features.Any(row.Has)) throw new RowFault(Features[0], $"is missing; give one of {string.Join(", ",
            Features)}");
        return [.. Features.Select(f => !row.Has(f) ? float.NaN
            : float.TryParse(row[f], NumberStyles.Float, CultureInfo.InvariantCulture, out var v) && float.IsFinite(v)
                ? v : throw new RowFault(f, "is no decimal number"))];
    }

    /// <summary>A JSON array of <c>{"meter","via","heard","lost","duplicates"}</c>, in a CSV cell too.</summary>
    private static Route[] Routes(Row row)
    {
        try
        {
            using var document = JsonDocument.Parse(row["routes"]);
            var all = document.RootElement;
            if (all.ValueKind != JsonValueKind.Array || all.GetArrayLength() > ConcentratorReport.MaxRoutes)
                throw new RowFault("routes", $"is no JSON array of at most {ConcentratorReport.MaxRoutes} routes");
            return [.. all.EnumerateArray().Select(static (route, i) => RouteOf(route, i))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new RowFault("routes", "is no JSON array: " + e.Message.Split('.')[0]);
        }
    }

    /// <summary>Services of a session: a bit each, in one byte.</summary>
    private static byte ServicesOf(Row row) => row.Bits<FrameService>("services") is <= byte.MaxValue and var bits
        ? (byte)bits : throw new RowFault("services", "holds what no session uses: a load profile is pushed");

    private static Route RouteOf(JsonElement route, int index)
    {
        RowFault Bad(string what) => new("routes", $"route {index + 1}: {what}");
        if (route.ValueKind != JsonValueKind.Object) throw Bad("is no object");
        var known = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var p in route.EnumerateObject())
            known[p.Name] = p.Name is "meter" or "via" or "heard" or "lost" or "duplicates" ? p.Value
                : throw Bad($"'{p.Name}' is not known");
        MeterId Id(string name)
        {
            if (!known.TryGetValue(name, out var v) || v.ValueKind == JsonValueKind.Null) return default;
            var text = v.ValueKind == JsonValueKind.Number ? v.GetRawText() : v.GetString() ?? "";
            return text.Trim().Length == 0 ? default : MeterId.ParseOrMap(text.Trim());
        }
        ushort Number(string name)
        {
            ushort n = 0;
            return !known.TryGetValue(name, out var v) || (v.ValueKind == JsonValueKind.Number && v.TryGetUInt16(out n))
                ? n : throw Bad($"'{name}' is no whole number from 0 to {ushort.MaxValue}");
        }
        var meter = Id("meter");
        return meter == default ? throw Bad("'meter' is missing")
            : new Route(meter, Id("via"), Number("heard"), Number("lost"), Number("duplicates"));
    }
}
