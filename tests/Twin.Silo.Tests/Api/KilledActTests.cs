using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Twin.Silo.Tests.Answers;
using Twin.Silo.Tests.Crash;

namespace Twin.Silo.Tests.Api;

/// <summary>The real program, killed while people act.</summary>
public sealed class KilledActTests
{
    [Fact]
    public async Task What_was_acknowledged_is_there_once_after_a_kill()
    {
        using var directory = await AnsweredDirectory.Copy();
        var file = directory.Sub("ada.key");
        await InProcess.Well("key", "create", "Ada", "--role", "analyst", "--data", directory.Path, "--out", file);
        var key = (await File.ReadAllTextAsync(file)).Trim();
        var acknowledged = 0;
        using (var server = Metertwin.Serve(directory.Path, out var address))
        {
            using var client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };
            var acting = Act(client, key, () => Interlocked.Increment(ref acknowledged));
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            while (Volatile.Read(ref acknowledged) < 5) Assert.False(limit.IsCancellationRequested || server.Breathe());
            server.Kill();
            await acting;
        }
        var done = Volatile.Read(ref acknowledged);
        using (var again = Metertwin.Serve(directory.Path, out var address))
        {
            using var client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };
            // All of them again, and one more that may have been on its way.
            for (var n = 0; n <= done; n++)
            {
                using var answer = await Comment(client, key, n);
                Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
            }
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/cases/{AnsweredDirectory.Case(1)}");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using var got = await client.SendAsync(request);
            var notes = JsonNode.Parse(await got.Content.ReadAsStringAsync())!["comments"]!.AsArray()
                .Select(c => (string)c!["text"]!).Where(t => t.StartsWith("note ", StringComparison.Ordinal));
            Assert.Equal(Enumerable.Range(0, done + 1).Select(n => $"note {n}"), notes);
        }
    }

    private static async Task Act(HttpClient client, string key, Action done)
    {
        try
        {
            for (var n = 0; ; n++)
            {
                using var answer = await Comment(client, key, n);
                Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
                done();
            }
        }
        catch (HttpRequestException)
        {
            // The service is gone.
        }
    }

    private static async Task<HttpResponseMessage> Comment(HttpClient client, string key, int n)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post,
            $"/api/v1/cases/{AnsweredDirectory.Case(1)}/acts");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Headers.Add("Idempotency-Key", $"\"note-{n}\"");
        request.Content = new StringContent($$"""{"act":"comment","text":"note {{n}}"}""", Encoding.UTF8,
            "application/json");
        return await client.SendAsync(request);
    }
}
