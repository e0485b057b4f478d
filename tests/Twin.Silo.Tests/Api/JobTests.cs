using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Twin.Hardware;
using Twin.Silo.Tests.Answers;

namespace Twin.Silo.Tests.Api;

/// <summary>Jobs, and files of readings and of the registry, over HTTP.</summary>
public sealed class JobTests
{
    private static async Task<JsonNode> Ended(ActService service, JsonNode job)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            var now = await service.Get((string)job["link"]!);
            if ((string)now["state"]! is "done" or "failed" or "cancelled") return now;
            limit.Token.ThrowIfCancellationRequested();
        }
    }

    private static bool IsClean(ActService service) => !Directory.Exists(Path.Combine(service.Path, "scratch"))
        || !Directory.EnumerateFileSystemEntries(Path.Combine(service.Path, "scratch")).Any();

    [Fact]
    public async Task A_verification_and_a_what_if_run_on_a_copy_and_leave_nothing_behind()
    {
        using var directory = await AnsweredDirectory.Copy();
        Directory.CreateDirectory(Path.Combine(directory.Path, "scratch", "left"));
        await using var service = ActService.Over(directory);
        Assert.True(IsClean(service));
        var verified = await Ended(service, await service.Do("/api/v1/jobs", "analyst", """{"kind":"verify"}"""));
        Assert.Equal("done", (string)verified["state"]!);
        Assert.Empty(verified["result"]!["differences"]!.AsArray());
        Assert.Equal(await service.Fleet.StateHash(default), (string)verified["result"]!["state_hash"]!);
        var text = (string)(await service.Get("/api/v1/policies/default"))["text"]!;
        var tried = await Ended(service, await service.Do("/api/v1/policies/what-if", "analyst",
            new JsonObject { ["text"] = text }.ToJsonString()));
        Assert.True((string)tried["state"]! == "done", tried.ToJsonString());
        Assert.Empty(tried["result"]!["cases"]!.AsArray());
        Assert.True(IsClean(service));
        await service.Bad("/api/v1/policies/what-if", "analyst", """{"text":"policy: x"}""", 422,
            "policy_does_not_hold");
        await service.Bad("/api/v1/jobs", "analyst", """{"kind":"replay","file":"../x.csv"}""", 422,
            "no_replay_folder");
        await service.Bad("/api/v1/jobs", "analyst:R-1", """{"kind":"verify"}""", 403, "region_not_yours");
        Assert.Equal(2, (await service.Get("/api/v1/jobs"))["jobs"]!.AsArray().Count);
        using var missing = await service.Send(HttpMethod.Delete, "/api/v1/jobs/j99", "analyst", null);
        await ActService.Bad(missing, 404, "job_not_found");
    }

    /// <summary>Two days of half hours of two meters.</summary>
    private static string Readings()
    {
        var text = new StringBuilder("meter,start,interval_minutes,kwh\n");
        for (var meter = 1; meter <= 2; meter++)
            for (var slot = 0; slot < 96; slot++)
                text.Append(CultureInfo.InvariantCulture,
                    $"C-{meter},{new UnixTime(1_767_225_600 + slot * 1_800L)},30,0.{slot % 10 + 10}\n");
        return text.ToString();
    }

    private static async Task<JsonNode> Send(ActService service, string path, string who, string type, byte[] body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", who);
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        using var response = await service.Client.SendAsync(request);
        return await ActService.Good(response);
    }

    [Fact]
    public async Task A_file_of_readings_is_taken_once_and_can_be_replayed_aside()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        var body = Encoding.UTF8.GetBytes(Readings());
        var taken = await Send(service, "/api/v1/observations", "sender", "text/csv", body);
        Assert.True((192, 0L) == ((int)taken["readings"]!, (long)taken["rejected"]!), taken.ToJsonString());
        var again = await Send(service, "/api/v1/observations", "sender", "text/csv", body);
        Assert.Equal((0, 192), ((int)again["readings"]!, (int)again["duplicates"]!));
        Assert.True(IsClean(service));
        var hash = await service.Fleet.StateHash(default);
        var replayed = await Ended(service, await Send(service, "/api/v1/jobs", "analyst", "text/csv", body));
        Assert.True((string)replayed["state"]! == "done", replayed.ToJsonString());
        Assert.Equal(192, (int)replayed["result"]!["totals"]!["readings"]!);
        Assert.Equal(hash, await service.Fleet.StateHash(default));
        Assert.True(IsClean(service));
    }

    [Fact]
    public async Task A_file_of_the_registry_is_taken_with_a_trace()
    {
        using var directory = await AnsweredDirectory.Copy();
        await using var service = ActService.Over(directory);
        var body = Encoding.UTF8.GetBytes("meter,manufacturer,lot\nMT-1,ZX,L7\nMT-8,ZX,L7\n,ZX,L7\n");
        var taken = await Send(service, "/api/v1/registry/imports?why=delivery", "operator", "text/csv", body);
        Assert.Equal((2, 2, 1), ((int)taken["records"]!, (int)taken["changed"]!, (int)taken["rejected"]!));
        var again = await Send(service, "/api/v1/registry/imports", "operator", "text/csv", body);
        Assert.Equal(2, (int)again["unchanged"]!);
        var acts = (await service.Get("/api/v1/ledger?kind=act"))["ledger"]!.AsArray();
        Assert.Contains(acts, a => ((string)a!["text"]!).Contains("delivery", StringComparison.Ordinal));
    }
}
