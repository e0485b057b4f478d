using System.CommandLine;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Soc;
using Twin.Silo.Soc.Reports;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin report</c>: what happened, from the ledger, for a regulator.</summary>
internal static class ReportCommand
{
    public static Command Make() => new Command("report", "Write a report from the ledger, as HTML or JSON.")
    {
        Incident(), Disconnects(), Fleet(),
    };

    private static Command Incident()
    {
        var id = new Argument<string>("case") { Description = "the case's id, as 16 hexadecimal digits and -number" };
        return Of("incident", "One case: when the utility became aware, what was found, decided and done.", id, null,
            null, (fleet, p, _) =>
            {
                var (key, number) = ActFlags.CaseOf(p.GetValue(id)!);
                var report = ReportData.Incident(fleet.Ledger, key, number);
                return Task.FromResult((ReportHtml.Of(report), ReportFile.Json(report)));
            });
    }

    private static Command Disconnects()
    {
        var from = new Option<string?>("--from") { Description = "proposed at or after, RFC 3339 or a date" };
        var to = new Option<string?>("--to") { Description = "proposed before, RFC 3339 or a date" };
        return Of("disconnects", "Every disconnection and reconnection: who, notice, approvals, outcome.", null, from,
            to, (fleet, p, _) =>
            {
                var report = DisconnectData.Of(fleet.Ledger,
                    Time(p.GetValue(from), UnixTime.MinSeconds), Time(p.GetValue(to), UnixTime.MaxSeconds));
                return Task.FromResult((ReportHtml.Of(report), ReportFile.Json(report)));
            });
    }

    private static Command Fleet() => Of("fleet", "Firmware and key suites of all meters.", null, null, null,
        async (fleet, _, cancel) =>
        {
            var report = await ReportData.Fleet(fleet, cancel);
            return (ReportHtml.Of(report), ReportFile.Json(report));
        });

    private static Command Of(string name, string description, Argument? argument, Option? from, Option? to,
        Func<EmbeddedFleet, ParseResult, CancellationToken, Task<(string Html, string Json)>> make)
    {
        var (data, key) = (Cli.Flag("data"), Cli.Flag("ledger-key"));
        var file = new Option<string>("--out") { Description = "file to write", Required = true };
        var command = new Command(name, description) { data, key, file, Cli.JsonFlag };
        if (argument is not null) command.Add(argument);
        if (from is not null) command.Add(from);
        if (to is not null) command.Add(to);
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            await using var fleet = ActFlags.Open(Cli.Settings(p, data, key));
            fleet.RequireSoundLedger();
            var (html, json) = await make(fleet, p, cancel);
            ReportFile.Write(p.GetValue(file)!, p.GetValue(Cli.JsonFlag) ? json : html, fleet.Sign);
            Console.WriteLine($"✓ {p.GetValue(file)}");
            return Cli.Ok;
        }));
        return command;
    }

    private static UnixTime Time(string? text, long otherwise) => text is null ? new UnixTime(otherwise)
        : UnixTime.TryParse(text, out var time) ? time
        : throw new ArgumentException($"'{text}' is no time; write 2026-01-31 or 2026-01-31T12:00:00Z.");
}
