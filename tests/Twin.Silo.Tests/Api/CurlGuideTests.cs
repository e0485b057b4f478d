using System.Diagnostics;
using System.Text.Json.Nodes;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Tests.Answers;

namespace Twin.Silo.Tests.Api;

/// <summary>The lines of docs/guides/soc-by-curl.md, run as they stand there.</summary>
public sealed class CurlGuideTests
{
    /// <summary>Lines that take longer are stuck.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private static string[] Lines()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "MeterTwin.sln"))) folder = Path.GetDirectoryName(folder)!;
        var page = File.ReadAllText(Path.Combine(folder, "docs", "guides", "soc-by-curl.md"));
        var begin = page.IndexOf("```sh ten\n", StringComparison.Ordinal) + "```sh ten\n".Length;
        return page[begin..page.IndexOf("```", begin, StringComparison.Ordinal)].TrimEnd('\n').Split('\n');
    }

    private static async Task<(int Exit, string Output, string Errors)> Bash(string script, string folder)
    {
        var start = new ProcessStartInfo("bash")
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        using var bash = Process.Start(start)!;
        var (output, errors) = (bash.StandardOutput.ReadToEndAsync(), bash.StandardError.ReadToEndAsync());
        await bash.StandardInput.WriteAsync(script);
        bash.StandardInput.Close();
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await bash.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            bash.Kill(entireProcessTree: true);
            throw new TimeoutException($"The lines do not end: {await output} {await errors}");
        }
        return (bash.ExitCode, await output, await errors);
    }

    /// <summary>The service's minutes, many a second.</summary>
    private static async Task Tick(IFleet fleet, Func<UnixTime> next, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(stop)) await AnswerScene.Sweep(fleet, next().Seconds);
        }
        catch (OperationCanceledException)
        {
            // The lines have ended.
        }
    }

    [Fact]
    public async Task The_ten_lines_find_contain_and_close_an_attack()
    {
        var lines = Lines();
        Assert.Equal(10, lines.Length);
        Assert.All(lines, l => Assert.Contains("curl -s", l, StringComparison.Ordinal));
        using var directory = new TestDirectory();
        var data = directory.Sub("demo");
        await InProcess.Well("demo", "--meters", "60", "--data", data, "--exit", "--port", "0");
        var shipped = await InProcess.Well("policy", "default");
        var mine = shipped.Replace("isolate_communications: {enforcer: concentrator,",
            "isolate_communications: {enforcer: concentrator, approvals: 1,", StringComparison.Ordinal);
        Assert.NotEqual(shipped, mine);
        await File.WriteAllTextAsync(directory.Sub("policy.yaml"), mine);
        await InProcess.Well("policy", "activate", directory.Sub("policy.yaml"), "--by", "Ada", "--at",
            "2025-10-08T00:00:00Z", "--data", data);
        foreach (var person in (string[])["Ada", "Ben"])
            await InProcess.Well("key", "create", person, "--role", "approver", "--at", "2025-10-08T00:00:00Z",
                "--data", data, "--out", Path.Combine(Path.GetDirectoryName(data)!, person.ToLowerInvariant()
                    + ".key"));

        await using var fleet = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = data }, new TwinFactory(), null);
        // A role approves from a day on after it was given.
        Assert.True(UnixTime.TryParse("2025-10-09T01:00:00Z", out var morning));
        var now = morning.Seconds;
        await using var app = await ApiHost.Start(fleet, 0, ServiceMode.Demo, default,
            now: () => new UnixTime(Interlocked.Read(ref now)));
        // The minute for which the page says to wait.
        await AnswerScene.Sweep(fleet, now);
        using var stop = new CancellationTokenSource();
        var ticking = Tick(fleet, () => new UnixTime(Interlocked.Add(ref now, 60)), stop.Token);
        var head = $"""
            set -euo pipefail
            API={ApiHost.Address(app)}/api/v1 JSON='Content-Type: application/json'
            ADA="Authorization: Bearer $(cat ada.key)" BEN="Authorization: Bearer $(cat ben.key)"

            """;
        // A line of its own behind each answer; a listener that has heard enough leaves the other side of its pipe.
        var script = head + string.Join("\n", lines.Select((l, i) => i == 5 ? $"( set +o pipefail; {l} ); echo"
            : $"{l}; echo")) + "\n";
        var (exit, output, errors) = await Bash(script, Path.GetDirectoryName(data)!);
        await stop.CancelAsync();
        await ticking;
        Assert.True(exit == 0, $"exit {exit}: {errors}\n{output}");

        var answers = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(8, answers.Length);
        JsonNode Json(int i) => JsonNode.Parse(answers[i])!;
        Assert.NotEmpty(Json(0)["findings"]!.AsArray());
        Assert.Equal("acknowledged", (string)Json(1)["handling"]!);
        Assert.Equal("Ben", (string)Json(2)["approvals"]![0]!["by"]!);
        Assert.Contains("is executing", answers[3], StringComparison.Ordinal);
        Assert.Equal("undone", (string)Json(4)["state"]!);
        Assert.Equal(("resolved", "true"), ((string)Json(5)["handling"]!, (string)Json(5)["disposition"]!));
        Assert.Equal("what_if", (string)Json(6)["kind"]!);
        Assert.True((long)Json(7)["number"]! > 0);
    }
}
