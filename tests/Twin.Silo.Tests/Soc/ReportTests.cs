using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Tests.Answers;

namespace Twin.Silo.Tests.Soc;

/// <summary>Reports of a directory with real cases, as a regulator gets and checks them.</summary>
public sealed partial class ReportTests : IAsyncLifetime
{
    private readonly TestDirectory _directory = new();
    private string _key = "";

    private string Data => _directory.Sub("data");

    /// <summary>MT-1 was switched off for a danger; for MT-2 somebody only asked.</summary>
    public async Task InitializeAsync()
    {
        await using (var fleet = await AnswerScene.Make(Data))
        {
            await AnswerScene.Do(fleet, new CommandRequest(AnswerScene.Meter(2), new UnixTime(AnswerScene.Monday + 600),
                AnswerScene.Person("billing"), "B-1", ResponseRung.Disconnect, "", "unpaid"));
            var ordered = await AnswerScene.Disconnect(fleet, 1, AnswerScene.Monday + 3_600);
            await AnswerScene.Do(fleet, new ResponseOutcome(ordered.Case, new UnixTime(ordered.OrderedAt.Seconds + 5),
                ordered.Number, false, ResponseResult.Done, "head-end", ""));
        }
        _key = _directory.Sub("key.pem");
        await File.WriteAllTextAsync(_key, await InProcess.Well("ledger", "key", "--data", Data));
    }

    public Task DisposeAsync()
    {
        _directory.Dispose();
        return Task.CompletedTask;
    }

    private async Task<string> Report(params string[] args)
    {
        var file = _directory.Sub($"report-{args[0]}");
        Assert.Equal($"✓ {file}\n", await InProcess.Well(["report", .. args, "--data", Data, "--out", file]));
        RequireSigned(file);
        return file;
    }

    private async Task<JsonElement> Json(params string[] args) =>
        JsonDocument.Parse(await File.ReadAllTextAsync(await Report([.. args, "--json"]))).RootElement;

    private void RequireSigned(string file)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(_key));
        byte[] bytes = File.ReadAllBytes(file), signature = File.ReadAllBytes(file + ".sig");
        bool Holds() => key.VerifyData(bytes, signature, HashAlgorithmName.SHA256,
            DSASignatureFormat.Rfc3279DerSequence);
        Assert.True(Holds());
        bytes[bytes.Length / 2] ^= 1;
        Assert.False(Holds());
    }

    [Fact]
    public async Task An_incident_says_when_the_utility_became_aware_and_everything_since()
    {
        var report = await Json("incident", AnsweredDirectory.Case(1));
        Assert.Equal((AnsweredDirectory.Case(1), "MT-1", "security"), (Text(report, "case"), Text(report, "subject"),
            Text(report, "desk")));
        var due = report.GetProperty("due");
        Assert.Equal(("2026-01-12T08:01:00Z", "2026-01-13T08:01:00Z", "2026-01-15T08:01:00Z", "2026-02-15T08:01:00Z"),
            (Text(due, "aware_at"), Text(due, "early_warning_by"), Text(due, "notification_by"),
            Text(due, "final_report_by")));
        Assert.Equal(["Anna", "Ben", "Cem"], report.GetProperty("people").EnumerateArray().Select(p => p.GetString()));
        var kinds = report.GetProperty("timeline").EnumerateArray().Select(t => Text(t, "kind")).ToHashSet();
        Assert.Equal(["act", "case", "decision", "order", "report", "response"], kinds.Order(StringComparer.Ordinal));
        await using var fleet = AnswerScene.Open(Data);
        var hashes = fleet.Ledger.Entries(0, 1_000).ToDictionary(e => e.Number, e => Convert.ToHexStringLower(e.Hash));
        Assert.All(report.GetProperty("timeline").EnumerateArray(), t =>
            Assert.Equal(hashes[t.GetProperty("entry").GetInt64()], Text(t, "hash")));
    }

    [Fact]
    public async Task A_disconnection_is_shown_with_what_bound_it()
    {
        var rows = (await Json("disconnects")).GetProperty("rows").EnumerateArray().ToList();
        Assert.Equal(2, rows.Count);
        var asked = rows.Single(r => Text(r, "subject") == "MT-2");
        Assert.Equal(("disconnect", "quarantined", "billing", "", ""), (Text(asked, "rung"), Text(asked, "state"),
            Text(asked, "requested_by"), Text(asked, "ordered_at"), Text(asked, "window")));
        var done = rows.Single(r => Text(r, "subject") == "MT-1");
        Assert.Equal(("done", "2026-01-12T09:01:00Z", "any time: a danger was confirmed", 2), (Text(done, "state"),
            Text(done, "people_told_at"), Text(done, "window"), done.GetProperty("needed").GetInt32()));
        Assert.Equal(["Ben 2026-01-12T09:06:40Z", "Cem 2026-01-12T09:06:40Z"],
            done.GetProperty("approvals").EnumerateArray().Select(a => a.GetString()));
        Assert.True(string.CompareOrdinal(Text(done, "not_before"), "2026-01-12T09:07:00Z") >= 0);
        foreach (var rule in (string[])["approved_by_enough", "within_window", "ordered_after_notice"])
            Assert.All(rows, r => Assert.True(r.GetProperty(rule).GetBoolean(), rule));
    }

    [Theory]
    [InlineData("2026-01-12T09:01:30Z", "2026-01-13", 1)]
    [InlineData("2026-01-12", "2026-01-12T09:01:30Z", 1)]
    [InlineData("2026-01-12", "2026-01-13", 2)]
    [InlineData("2026-01-13", "2026-01-14", 0)]
    public async Task Disconnections_are_those_proposed_in_the_span(string from, string to, int count) =>
        Assert.Equal(count, (await Json("disconnects", "--from", from, "--to", to)).GetProperty("rows")
            .GetArrayLength());

    [Fact]
    public async Task The_fleet_is_counted_by_what_runs_where()
    {
        var report = await Json("fleet");
        Assert.Equal(2, report.GetProperty("meters").GetInt32());
        var row = report.GetProperty("rows").EnumerateArray().Single();
        Assert.Equal(("ZX", "1.0", 2), (Text(row, "model"), Text(row, "firmware"),
            row.GetProperty("meters").GetInt32()));
    }

    [Theory]
    [InlineData("incident")]
    [InlineData("disconnects")]
    [InlineData("fleet")]
    public async Task A_page_loads_and_runs_nothing(string report)
    {
        string[] args = report == "incident" ? [report, AnsweredDirectory.Case(1)] : [report];
        var page = await File.ReadAllTextAsync(await Report(args));
        Assert.StartsWith("<!doctype html>", page);
        Assert.Contains("default-src 'none'", page);
        Assert.Empty(Loads().Matches(page));
    }

    [Fact]
    public async Task What_is_not_there_is_named_and_nothing_is_written()
    {
        var file = _directory.Sub("none.html");
        Task<string> Wrong(params string[] args) =>
            InProcess.Wrong(["report", .. args, "--data", Data, "--out", file]);
        Assert.Contains("'seven' is no id of a case", await Wrong("incident", "seven"));
        Assert.Contains("There is no case 00000000000000aa-1", await Wrong("incident", "00000000000000aa-1"));
        Assert.Contains("There is no case", await Wrong("incident", AnsweredDirectory.Case(1)[..^1] + "2"));
        Assert.Contains("'soon' is no time", await Wrong("disconnects", "--from", "soon"));
        Assert.Contains("is not before --to", await Wrong("disconnects", "--from", "2026-02-01", "--to", "2026-01-01"));
        Assert.Empty(Directory.GetFiles(_directory.Path, "none*"));
    }

    [Fact]
    public async Task Openssl_checks_a_report_as_the_manual_says()
    {
        const string openssl = "/usr/bin/openssl";
        var file = await Report("fleet");
        if (!File.Exists(openssl)) return;
        int Check()
        {
            using var run = Process.Start(new ProcessStartInfo(openssl,
                ["dgst", "-sha256", "-verify", _key, "-signature", file + ".sig", file])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
            run.WaitForExit();
            return run.ExitCode;
        }
        Assert.Equal(0, Check());
        await File.AppendAllTextAsync(file, " ");
        Assert.Equal(1, Check());
    }

    /// <summary>
    /// A response that needs a window, and one that went out by a decision that a later one had overtaken.
    /// </summary>
    [Fact]
    public void What_broke_a_rule_shows()
    {
        var ledger = new ListLedger();
        var early = Samples.Response(ResponseRung.Disconnect, ResponseState.Executing) with
        {
            DueAt = new UnixTime(Samples.At.Seconds + 60),
            RequestedBy = new Actor("Cleo", "key-3"),
            Approvals = [new Approval(new Actor("Ben", "key-1"), Samples.At), new Approval(new Actor("BEN", "key-2"),
                Samples.At)],
        };
        ledger.Add(Samples.Entry(early));
        ledger.Add(Samples.Entry(early) with { Kind = Grains.Ledger.LedgerKind.Order });
        var row = Silo.Soc.Reports.DisconnectData.Of(ledger, new UnixTime(UnixTime.MinSeconds),
            new UnixTime(UnixTime.MaxSeconds)).Rows.Single();
        // No decision stands behind it at all.
        Assert.Equal((false, false, false), (row.ApprovedByEnough, row.WithinWindow, row.OrderedAfterNotice));
    }

    private static string Text(JsonElement of, string name) => of.GetProperty(name).GetString()!;

    [GeneratedRegex("<script|<link|<img|<iframe|src=|href=|url\\(|@import|\\son[a-z]+=", RegexOptions.IgnoreCase)]
    private static partial Regex Loads();
}
