using System.Text.Json.Nodes;
using Twin.Grains.Cases;
using Twin.Hardware;

namespace Twin.Silo.Soc;

/// <summary>
/// Elastic Common Schema (elastic.co/docs/reference/ecs): the meter is <c>device.*</c>, MeterTwin is
/// <c>observer.*</c>; what ECS has no field for is under <c>metertwin.*</c>, its own namespace.
/// </summary>
internal static class Ecs
{
    public const string SchemaVersion = "9.0.0";

    public static JsonObject Of(SocEvent e)
    {
        var o = new JsonObject
        {
            ["@timestamp"] = e.At.ToString(),
            ["ecs"] = new JsonObject { ["version"] = SchemaVersion },
            ["message"] = e.Sentence,
            ["event"] = Event(e),
            ["device"] = Device(e),
            ["observer"] = new JsonObject
            {
                ["vendor"] = "MeterTwin", ["product"] = "MeterTwin", ["version"] = Commands.Cli.Version,
                ["type"] = "ids",
            },
            ["rule"] = Rule(e),
        };
        if (e.Techniques.Count > 0) o["threat"] = Threat(e.Techniques);
        o["related"] = new JsonObject { ["hosts"] = new JsonArray(e.SubjectName) };
        o["metertwin"] = Own(e);
        return o;
    }

    private static JsonObject Event(SocEvent e)
    {
        var x = new JsonObject
        {
            ["id"] = e.Id, ["kind"] = "alert", ["module"] = "metertwin", ["dataset"] = "metertwin." + KindOf(e),
            ["code"] = e.Code, ["sequence"] = e.Number, ["severity"] = (int)e.Severity * 20,
            ["category"] = new JsonArray(e.Response is null ? "intrusion_detection" : "configuration"),
            ["type"] = new JsonArray(e.Response is not null ? "change" : "info"),
            ["hash"] = e.Hash,
        };
        if (e.Finding is { } f)
        {
            (x["start"], x["end"], x["created"]) = (f.From.ToString(), f.To.ToString(), f.DetectedAt.ToString());
            x["risk_score"] = Math.Round(100 * Finite(f.Confidence) * (int)f.Severity / 5, 2);
        }
        else if (e.Case is { } c)
        {
            (x["start"], x["end"], x["created"]) = (c.From.ToString(), c.To.ToString(), c.AwareAt.ToString());
            x["action"] = "case_" + SnakeCase.Of(SocWords.ActivityOf(c));
            x["reason"] = c.Why;
        }
        else
        {
            var r = e.Response!;
            x["action"] = (r.IsUndo ? "undo_" : "") + SnakeCase.Of(r.Rung);
            x["reason"] = r.Reason.Length > 0 ? r.Reason : r.Why;
            x["outcome"] = r.State switch
            {
                ResponseState.Done or ResponseState.Undone => "success",
                ResponseState.Failed => "failure",
                _ => "unknown",
            };
        }
        return x;
    }

    private static string KindOf(SocEvent e) => e.Finding is not null ? "finding" : e.Case is not null ? "case"
        : "response";

    private static JsonObject Device(SocEvent e)
    {
        var d = new JsonObject { ["id"] = e.Subject.ToString(), ["serial_number"] = e.SubjectName };
        if (e.Context is { Model.Length: > 0 } c) d["model"] = new JsonObject { ["name"] = c.Model };
        return d;
    }

    private static JsonObject Rule(SocEvent e) => e.Finding is { } f
        ? new JsonObject
        {
            ["id"] = Finding.NameOf(f.Kind), ["name"] = f.Detector,
            ["version"] = f.DetectorVersion.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["ruleset"] = "metertwin",
        }
        : new JsonObject { ["id"] = e.Code, ["name"] = e.Code, ["ruleset"] = "metertwin" };

    private static JsonObject Threat(IReadOnlyList<string> techniques)
    {
        JsonArray ids = [], names = [], references = [], tactics = [], tacticNames = [];
        var seen = new HashSet<string>();
        foreach (var id in techniques)
        {
            var t = AttackTechniques.Of(id);
            ids.Add(t.Id);
            references.Add(t.Url);
            if (t.Name.Length > 0) names.Add(t.Name);
            foreach (var tactic in t.Tactics)
            {
                if (!seen.Add(tactic.Id)) continue;
                tactics.Add(tactic.Id);
                tacticNames.Add(tactic.Name);
            }
        }
        return new JsonObject
        {
            ["framework"] = AttackTechniques.Framework,
            ["tactic"] = new JsonObject { ["id"] = tactics, ["name"] = tacticNames },
            ["technique"] = new JsonObject { ["id"] = ids, ["name"] = names, ["reference"] = references },
        };
    }

    private static JsonObject Own(SocEvent e)
    {
        var own = new JsonObject { ["case_key"] = $"{e.CaseKey.Id:x16}" };
        if (e.Finding is { } f)
        {
            own["finding"] = f.Id;
            own["confidence"] = Finite(f.Confidence);
            var evidence = new JsonArray();
            foreach (var x in f.Evidence)
                evidence.Add(new JsonObject
                {
                    ["feature"] = x.Feature, ["unit"] = x.Unit,
                    ["observed"] = double.IsFinite(x.Observed) ? x.Observed : null,
                    ["expected"] = double.IsFinite(x.Expected) ? x.Expected : null,
                });
            own["evidence"] = evidence;
        }
        else if (e.Case is { } c)
        {
            own["case"] = c.Id;
            own["desk"] = Desks.NameOf(c.Desk);
            own["handling"] = SnakeCase.Of(c.Handling);
            own["condition"] = SnakeCase.Of(c.Condition);
            own["disposition"] = SnakeCase.Of(c.Disposition);
            own["confidence"] = Finite(c.Confidence);
            own["findings"] = c.FindingCount;
        }
        else
        {
            var r = e.Response!;
            own["command"] = r.IdempotencyKey;
            own["state"] = SnakeCase.Of(r.State);
            own["enforcer"] = SnakeCase.Of(r.Enforcer);
        }
        return own;
    }

    /// <summary>JSON has no infinities.</summary>
    private static double Finite(double value) => double.IsFinite(value) ? value : 0;
}
