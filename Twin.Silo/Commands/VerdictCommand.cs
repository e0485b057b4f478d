using System.CommandLine;
using System.Globalization;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;

namespace Twin.Silo.Commands;

/// <summary>
/// <c>metertwin verdict</c>: what a person found out about a finding. Journalled; it moves the bar of that kind in the
/// cohort of the meter.
/// </summary>
internal static class VerdictCommand
{
    private const string Source = "verdict";

    private sealed record Summary(string Finding, string Subject, string Kind, string Outcome, string At,
        long Position);

    public static Command Make()
    {
        var data = Cli.Flag("data");
        var finding = new Argument<string>("finding") { Description = "the finding's id, 16 hexadecimal digits" };
        var outcome = new Argument<string>("outcome")
        {
            Description = "true (it was right), benign (it happened, for an innocent reason) or false",
        };
        var by = new Option<string>("--by")
        {
            Description = "who says so", DefaultValueFactory = _ => Environment.UserName,
        };
        var why = new Option<string>("--why") { Description = "in your own words", DefaultValueFactory = _ => "" };
        var command = new Command("verdict", "Say what a finding turned out to be; its detector learns from it.")
        {
            finding, outcome, by, why, data, Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            var told = OutcomeOf(p.GetValue(outcome)!);
            var summary = await Tell(Cli.Settings(p, data).Data, IdOf(p.GetValue(finding)!), told, p.GetValue(by)!,
                p.GetValue(why)!, cancel);
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(summary);
            else
                Console.WriteLine($"✓ {summary.Kind} on {summary.Subject} is {summary.Outcome}; journalled as input "
                    + $"{summary.Position}, and weighed when the next day closes");
            return Cli.Ok;
        }));
        return command;
    }

    private static Outcome OutcomeOf(string text) => text switch
    {
        "true" => Outcome.True,
        "benign" => Outcome.Benign,
        "false" => Outcome.False,
        _ => throw new ArgumentException($"'{text}' is no outcome. Say true, benign or false."),
    };

    private static string IdOf(string text) =>
        text.Length == 16 && ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _)
            ? text.ToLowerInvariant()
            : throw new ArgumentException(
                $"'{text}' is no id of a finding: it has 16 hexadecimal digits, as 'metertwin inspect' shows it.");

    private static async Task<Summary> Tell(string data, string id, Outcome outcome, string by, string why,
        CancellationToken cancel)
    {
        using (DataDirectory.Open(data, mustExist: true)) { }
        await using var fleet = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = data }, new TwinFactory(),
            Cli.Message);
        var found = await fleet.Findings(new FindingQuery(null, null, null, null, 1) { Id = id }, cancel);
        if (found is not [var finding])
            throw new ArgumentException($"There is no finding {id} in {data}. 'metertwin inspect METER' shows ids.");
        if (fleet.VerdictOn(finding) is { } before)
        {
            var said = $"'{before.Said.Outcome.ToString().ToLowerInvariant()}' by {before.Said.By} at {before.Said.At}";
            if (before.Said.Outcome == outcome)
            {
                Cli.Message($"finding {id} has this verdict already, {said}: said twice it does not count twice.");
                return Of(before.Said, before.Position);
            }
            Cli.Message($"finding {id} had another verdict, {said}; it stays in the journal, and both are weighed.");
        }
        var at = new UnixTime(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        var verdict = new Verdict(finding.Subject, at,
            ulong.Parse(id, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), finding.Kind, outcome, by,
            why);
        var batch = new InputBatch(Source);
        batch.Add(verdict);
        var receipt = await fleet.Append(batch, cancel);
        if (receipt.Items[0] is { Status: AdmissionStatus.Rejected } refused)
            throw new ArgumentException(refused.Reason);
        return Of(verdict, receipt.Position);

        Summary Of(Verdict told, long position) => new(id, finding.SubjectName, Finding.NameOf(finding.Kind),
            told.Outcome.ToString().ToLowerInvariant(), told.At.ToString(), position);
    }
}
