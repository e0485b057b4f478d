using System.Text.Json.Nodes;
using Twin.Grains.Cases;
using Twin.Hardware;

namespace Twin.Silo.Soc;

/// <summary>
/// OCSF 1.9 (schema.ocsf.io): Detection Finding (class 2004) for findings and cases, Remediation Activity (class 7001)
/// for responses.
/// </summary>
internal static class Ocsf
{
    public const string SchemaVersion = "1.9.0";
    public const int DetectionFinding = 2004, RemediationActivity = 7001;

    private static readonly string[] Severities =
        ["Unknown", "Informational", "Low", "Medium", "High", "Critical"];

    public static JsonObject Of(SocEvent e) => e.Finding is { } f ? OfFinding(e, f)
        : e.Case is { } c ? OfCase(e, c) : OfResponse(e, e.Response!);

    private static JsonObject OfFinding(SocEvent e, Finding f)
    {
        var o = Head(e, DetectionFinding, "Detection Finding", 2, "Findings", (int)SocActivity.Create, "Create");
        Confidence(o, f.Confidence);
        (o["status_id"], o["status"]) = (1, "New");
        (o["start_time"], o["end_time"]) = (Millis(f.From), Millis(f.To));
        o["is_alert"] = false;
        o["finding_info"] = new JsonObject
        {
            ["uid"] = f.Id, ["title"] = Finding.NameOf(f.Kind), ["desc"] = f.Sentence,
            ["created_time"] = Millis(f.DetectedAt), ["first_seen_time"] = Millis(f.From),
            ["last_seen_time"] = Millis(f.To),
            ["analytic"] = new JsonObject
            {
                // type_id 1: a rule; MeterTwin's detectors are named and versioned.
                ["uid"] = f.Detector, ["name"] = f.Detector, ["version"] = Number(f.DetectorVersion),
                ["type_id"] = 1, ["type"] = "Rule",
            },
            ["attacks"] = Attacks(e.Techniques),
        };
        var evidence = new JsonArray();
        foreach (var x in f.Evidence)
            evidence.Add(new JsonObject
            {
                ["name"] = x.Feature,
                ["data"] = new JsonObject
                {
                    ["observed"] = Finite(x.Observed), ["expected"] = Finite(x.Expected), ["unit"] = x.Unit,
                    ["contribution"] = Finite(x.Contribution),
                },
            });
        foreach (var against in f.CounterEvidence)
            evidence.Add(new JsonObject
            {
                ["name"] = "counter_evidence", ["data"] = new JsonObject { ["text"] = against },
            });
        o["evidences"] = evidence;
        o["anomaly_analyses"] = Analyses(f);
        Device(o, e);
        return o;
    }

    private static JsonArray Analyses(Finding f)
    {
        JsonArray baselines = [], anomalies = [];
        foreach (var x in f.Evidence)
        {
            if (!double.IsFinite(x.Observed) || !double.IsFinite(x.Expected)) continue;
            baselines.Add(Observed(x, x.Expected));
            anomalies.Add(Observed(x, x.Observed));
        }
        return anomalies.Count == 0 ? [] :
        [
            new JsonObject
            {
                ["analysis_targets"] = new JsonArray(new JsonObject
                {
                    ["name"] = f.SubjectName, ["type"] = SnakeCase.Of(f.Subject.Kind),
                }),
                ["baselines"] = baselines,
                ["anomalies"] = anomalies,
            },
        ];
    }

    private static JsonObject Observed(Evidence x, double value) => new()
    {
        ["observation_parameter"] = x.Feature,
        ["observation_type"] = "Deviation Analysis",
        ["observations"] = new JsonArray(new JsonObject
        {
            ["value"] = Number(value) + (x.Unit.Length > 0 ? " " + x.Unit : ""),
        }),
    };

    private static JsonObject OfCase(SocEvent e, CaseSnapshot c)
    {
        var activity = SocWords.ActivityOf(c);
        var o = Head(e, DetectionFinding, "Detection Finding", 2, "Findings", (int)activity, activity.ToString());
        Confidence(o, c.Confidence);
        (o["status_id"], o["status"]) = StatusOf(c);
        (o["verdict_id"], o["verdict"]) = VerdictOf(c.Disposition);
        (o["start_time"], o["end_time"]) = (Millis(c.From), Millis(c.To));
        o["is_alert"] = activity == SocActivity.Create && c.Verdict == Grains.Policies.CaseVerdict.Open;
        o["metadata"]!["correlation_uid"] = c.Id;
        if (c.Assignee.Length > 0) o["assignee"] = new JsonObject { ["name"] = c.Assignee };
        var related = new JsonArray();
        foreach (var id in c.FindingIds) related.Add(new JsonObject { ["uid"] = id });
        o["finding_info"] = new JsonObject
        {
            ["uid"] = c.Id, ["title"] = "Case of desk " + Desks.NameOf(c.Desk), ["desc"] = c.Sentence,
            ["created_time"] = Millis(c.AwareAt), ["modified_time"] = Millis(c.ChangedAt),
            ["first_seen_time"] = Millis(c.From), ["last_seen_time"] = Millis(c.To),
            ["attacks"] = Attacks(c.Techniques), ["related_events"] = related,
            ["related_events_count"] = c.FindingCount,
        };
        var evidence = new JsonArray();
        foreach (var f in c.Findings)
            evidence.Add(new JsonObject
            {
                ["name"] = Finding.NameOf(f.Kind),
                ["data"] = new JsonObject
                {
                    ["count"] = f.Count, ["confidence"] = Finite(f.Confidence), ["is_proof"] = f.IsProof,
                    ["first"] = f.First.ToString(), ["last"] = f.Last.ToString(),
                },
            });
        o["evidences"] = evidence;
        Device(o, e);
        o["unmapped"] = new JsonObject
        {
            ["desk"] = Desks.NameOf(c.Desk), ["condition"] = SnakeCase.Of(c.Condition), ["cause"] = c.Cause,
            ["rung"] = SnakeCase.Of(c.Rung), ["why"] = c.Why, ["members"] = c.Members,
            ["policy_digest"] = c.PolicyDigest,
        };
        return o;
    }

    private static JsonObject OfResponse(SocEvent e, ResponseRecord r)
    {
        var (id, name) = ActivityOf(r);
        var o = Head(e, RemediationActivity, "Remediation Activity", 7, "Remediation", id, name);
        (o["status_id"], o["status"]) = r.State switch
        {
            ResponseState.Done or ResponseState.Undone => (1, "Success"),
            ResponseState.Failed => (2, "Failure"),
            _ => (99, SnakeCase.Of(r.State)),
        };
        o["status_detail"] = r.Reason;
        o["command_uid"] = r.IdempotencyKey;
        o["metadata"]!["correlation_uid"] = $"{e.CaseKey.Id:x16}";
        o["remediation"] = new JsonObject { ["desc"] = SnakeCase.Of(r.Rung) + ": " + r.Why };
        Device(o, e);
        var approvals = new JsonArray();
        foreach (var a in r.Approvals)
            approvals.Add(new JsonObject { ["by"] = a.By.Person, ["at"] = a.At.ToString() });
        o["unmapped"] = new JsonObject
        {
            ["rung"] = SnakeCase.Of(r.Rung), ["state"] = SnakeCase.Of(r.State),
            ["enforcer"] = SnakeCase.Of(r.Enforcer), ["requested_by"] = r.RequestedBy.Person,
            ["approvals"] = approvals, ["is_undo"] = r.IsUndo,
        };
        return o;
    }

    private static JsonObject Head(SocEvent e, int kind, string name, int category, string categoryName, int activity,
        string activityName) => new()
        {
            ["class_uid"] = kind,
            ["class_name"] = name,
            ["category_uid"] = category,
            ["category_name"] = categoryName,
            ["activity_id"] = activity,
            ["activity_name"] = activityName,
            ["type_uid"] = kind * 100 + activity,
            ["time"] = Millis(e.At),
            ["severity_id"] = (int)e.Severity,
            ["severity"] = Severities[(int)e.Severity],
            ["message"] = e.Sentence,
            ["metadata"] = new JsonObject
            {
                ["version"] = SchemaVersion,
                ["uid"] = e.Id,
                ["sequence"] = e.Number,
                ["event_code"] = e.Code,
                ["product"] = new JsonObject
                {
                    ["name"] = "MeterTwin", ["vendor_name"] = "MeterTwin", ["version"] = Commands.Cli.Version,
                },
                ["labels"] = new JsonArray("ledger:" + e.Hash),
            },
        };

    private static void Device(JsonObject o, SocEvent e)
    {
        var device = new JsonObject
        {
            ["uid"] = e.Subject.ToString(), ["name"] = e.SubjectName, ["type_id"] = 99,
            ["type"] = SnakeCase.Of(e.Subject.Kind),
        };
        if (e.Context is { Model.Length: > 0 } c) device["model"] = c.Model;
        o["device"] = device;
    }

    private static void Confidence(JsonObject o, double confidence)
    {
        var (id, name) = confidence < 0.5 ? (1, "Low") : confidence < 0.8 ? (2, "Medium") : (3, "High");
        (o["confidence_id"], o["confidence"]) = (id, name);
        o["confidence_score"] = (int)Math.Round(100 * Math.Clamp(double.IsNaN(confidence) ? 0 : confidence, 0, 1));
    }

    private static JsonArray Attacks(IReadOnlyList<string> techniques)
    {
        var attacks = new JsonArray();
        foreach (var id in techniques)
        {
            var t = AttackTechniques.Of(id);
            var tactics = new JsonArray();
            foreach (var tactic in t.Tactics)
                tactics.Add(new JsonObject { ["uid"] = tactic.Id, ["name"] = tactic.Name });
            attacks.Add(new JsonObject
            {
                ["version"] = AttackTechniques.Version,
                ["technique"] = new JsonObject { ["uid"] = t.Id, ["name"] = t.Name, ["src_url"] = t.Url },
                ["tactics"] = tactics,
            });
        }
        return attacks;
    }

    /// <summary>A case that a suppression or planned work covers is Suppressed, whatever its handling.</summary>
    private static (int Id, string Name) StatusOf(CaseSnapshot c) => c.Handling switch
    {
        CaseHandling.Resolved => (4, "Resolved"),
        _ when c.Verdict is Grains.Policies.CaseVerdict.Suppressed or Grains.Policies.CaseVerdict.Planned
            => (3, "Suppressed"),
        CaseHandling.New => (1, "New"),
        _ => (2, "In Progress"),
    };

    private static (int Id, string Name) VerdictOf(Disposition d) => d switch
    {
        Disposition.True => (2, "True Positive"),
        Disposition.Benign => (5, "Benign"),
        Disposition.False => (1, "False Positive"),
        Disposition.Duplicate => (10, "Duplicate"),
        Disposition.Maintenance => (3, "Disregard"),
        _ => (0, "Unknown"),
    };

    /// <summary>Rungs as tactics of D3FEND; undoing restores.</summary>
    private static (int Id, string Name) ActivityOf(ResponseRecord r) => r.IsUndo ? (3, "Restore") : r.Rung switch
    {
        ResponseRung.RaiseSampling or ResponseRung.Reattest => (5, "Detect"),
        ResponseRung.RotateKeys => (2, "Evict"),
        ResponseRung.BlockWrites => (4, "Harden"),
        ResponseRung.IsolateCommunications or ResponseRung.LimitLoad or ResponseRung.Disconnect => (1, "Isolate"),
        ResponseRung.Reconnect => (3, "Restore"),
        _ => (99, SnakeCase.Of(r.Rung)),
    };

    private static long Millis(UnixTime time) => time.Seconds * 1000;

    private static string Number(double value) =>
        value.ToString("0.######", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>JSON has no infinities.</summary>
    private static JsonNode? Finite(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;
}
