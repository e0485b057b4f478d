using System.Net;
using System.Text.Json;
using Twin.Silo.Mirror;
using Twin.Silo.Tests.Answers;
using Twin.Silo.Tests.Engine;

namespace Twin.Silo.Tests.Mirror;

/// <summary>The mirror of a service, the verb, and the dashboard over what it wrote.</summary>
public sealed class MirrorCommandTests : IDisposable
{
    private const int Meters = 12, Days = 60, Readings = Meters * Days * 24;

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private string[] With(MirrorServer server, params string[] args) => [.. args, "--data", _directory.Sub("data"),
        "--mirror", server.Url.AbsoluteUri, "--mirror-kind", "influx1"];

    /// <summary>Runs the service's mirror until it is where the journal is.</summary>
    private async Task Serve(MirrorServer server)
    {
        await using var fleet = Feed.Open(_directory.Sub("data"));
        var settings = Settings.Load(new Dictionary<string, string> { ["mirror"] = server.Url.AbsoluteUri }, _ => null,
            _directory.Sub("none.json"));
        await using var service = MirrorService.Start(settings, fleet, TimeProvider.System, _ => { });
        for (var day = 0; day < Days; day++) await fleet.Send(Feed.Days("s", Meters, day, day + 1));
        long Of(string name) => service.Metrics().Single(m => m.Name == name).Value;
        var scores = MirrorReaders.Of(server.Store()).Scores;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var looks = 0; looks < 600 && (Of("mirror_lag_positions") > 0
            || fleet.Journal.ClosedDays(fleet.Journal.Cursor(scores)).Count > 0); looks++)
            await timer.WaitForNextTickAsync();
        Assert.Equal((0, 1, 0, 0), (Of("mirror_lag_positions"), Of("mirror_up"), Of("mirror_retries_total"),
            Of("mirror_left_out_total")));
        Assert.Equal(fleet.Journal.Position, Of("mirror_position"));
        Assert.True(Of("mirror_points_total") >= Readings && Of("mirror_batches_total") > 0);
    }

    [Theory, Server("influx1")]
    public async Task The_verb_says_where_the_mirror_is_finds_what_it_lacks_and_makes_it_again(string kind)
    {
        using var server = await MirrorServer.Start(kind);
        await Serve(server);
        Assert.Equal($"✓ {Readings} readings in the journal; in the mirror 0 are missing, 0 differ, 0 are too many\n",
            await InProcess.Well(With(server, "mirror", "check")));
        var status = await InProcess.Json(With(server, "mirror", "status"));
        Assert.Equal(status.GetProperty("journal_position").GetInt64(), status.GetProperty("position").GetInt64());
        using (var store = server.Store())
            await store.Forget(Feed.Meter(3), new(Feed.FirstDay * 86_400L + 7_200), default);
        var (found, less) = (await InProcess.Run(With(server, "mirror", "check", "M3")), Days * 24);
        Assert.Equal((1, $"✗ {less} readings in the journal; in the mirror 2 are missing, 0 differ, 0 are too "
            + $"many. First: meter {Feed.Meter(3)}, Import, 2024-10-04T00:00:00Z: not in the mirror\n"),
            (found.Exit, found.Output));
        Assert.StartsWith($"✓ {less} ", await InProcess.Well(With(server, "mirror", "check", "M4")));
        Assert.StartsWith("✓ ", await InProcess.Well(With(server, "mirror", "rebuild")));
        status = await InProcess.Json(With(server, "mirror", "status"));
        Assert.Equal(0, status.GetProperty("position").GetInt64());
        await Serve(server);
        Assert.StartsWith($"✓ {Readings} ", await InProcess.Well(With(server, "mirror", "check")));
        Assert.Contains("No mirror is set.",
            await InProcess.Wrong("mirror", "status", "--data", _directory.Sub("data")));
    }

    /// <summary>Every query of the dashboard, with what Grafana puts in for its variables.</summary>
    [Theory, Server("influx1")]
    public async Task Every_panel_of_the_dashboard_shows_something(string kind)
    {
        using var server = await MirrorServer.Start(kind);
        await Serve(server);
        using (var store = server.Store())
        {
            // The feed is all actual and without findings.
            var lines = new Twin.Ingest.Mirror.LineWriter();
            lines.Finding(Soc.Samples.Finding() with { From = new(Feed.FirstDay * 86_400L) });
            lines.Readings(Feed.Meter(1), Hardware.Channel.Export, Feed.FirstDay * 1_440L, 60, [5],
                [Hardware.Quality.Estimated], false);
            await store.Write(lines.Lines, default);
        }
        var folder = Path.Combine(Repository.Root, "deploy", "grafana");
        using var dashboard = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "metertwin.json")));
        var provisioned = await File.ReadAllTextAsync(Path.Combine(folder, "provisioning", "datasources",
            "metertwin.yaml"));
        using var http = new HttpClient();
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();
        Assert.Equal(7, panels.Count);
        foreach (var panel in panels)
        {
            Assert.Contains($"uid: {panel.GetProperty("datasource").GetProperty("uid").GetString()}\n", provisioned);
            var query = panel.GetProperty("targets")[0].GetProperty("query").GetString()!
                .Replace("$timeFilter", $"time >= {Feed.FirstDay}d AND time < {Feed.FirstDay + Days}d")
                .Replace("$__interval", "1h").Replace("$channel", "import|export")
                .Replace("$meter", $"{Feed.Meter(1)}");
            using var answer = await http.GetAsync(new Uri(server.Url,
                "query?db=metertwin&q=" + Uri.EscapeDataString(query)));
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.StatusCode == HttpStatusCode.OK && text.Contains("\"series\""), $"{query}: {text}");
        }
    }
}
