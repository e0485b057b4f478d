using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Twin.Silo.Soc;

namespace Twin.Silo.Tests.Soc;

public class WebhookTests
{
    private static readonly byte[] Secret = Encoding.UTF8.GetBytes("a secret of enough bytes");

    /// <summary>A listener that answers with the given codes, then 200, and keeps what was signed rightly.</summary>
    private static async Task<(WebApplication App, List<int> Taken, List<bool> Signed)> Listener(params int[] codes)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var (answers, taken, signed) = (new Queue<int>(codes), new List<int>(), new List<bool>());
        app.MapPost("/hook", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            var parts = request.Headers[WebhookSink.SignatureHeader].ToString().Split(',');
            signed.Add(parts[1][3..] == WebhookSink.Signature(Secret, parts[0][2..], body.ToArray()));
            if (answers.TryDequeue(out var code)) return Results.StatusCode(code);
            foreach (var e in JsonNode.Parse(body.ToArray())!.AsArray()) taken.Add((int)e!["metadata"]!["sequence"]!);
            return Results.Ok();
        });
        await app.StartAsync();
        return (app, taken, signed);
    }

    private static SocDispatcher Dispatcher(WebApplication app, ListLedger ledger) => new("hook",
        new WebhookSink(new Uri(app.Urls.First() + "/hook?token=hidden"), [.. Secret], SocFormat.Ocsf,
            TimeProvider.System, TimeSpan.FromMilliseconds(1)), ledger, TimeProvider.System, 1);

    private static ListLedger Ledger()
    {
        var ledger = new ListLedger();
        for (var i = 0; i < 3; i++) ledger.Add(Samples.Report(Samples.Finding()));
        return ledger;
    }

    [Fact]
    public async Task A_passing_failure_is_tried_again_and_each_try_is_signed()
    {
        var (app, taken, signed) = await Listener(503, 429);
        await using (app)
        {
            var ledger = Ledger();
            Assert.True(await Dispatcher(app, ledger).Step(default));
            Assert.Equal([1, 2, 3], taken);
            Assert.Equal([true, true, true], signed);
            Assert.Equal(3, ledger.Cursor("sink/hook"));
        }
    }

    [Fact]
    public async Task A_refusal_leaves_the_cursor_and_tells_no_secret()
    {
        var (app, taken, _) = await Listener(400);
        await using (app)
        {
            var ledger = Ledger();
            var dispatcher = Dispatcher(app, ledger);
            var e = await Assert.ThrowsAsync<SinkException>(() => dispatcher.Step(default));
            Assert.Contains("answers 400", e.Message);
            Assert.DoesNotContain("hidden", e.ToString());
            Assert.Equal(0, ledger.Cursor("sink/hook"));
            Assert.True(await dispatcher.Step(default));
            Assert.Equal([1, 2, 3], taken);
        }
    }

    /// <summary>As <c>printf '1767953700.[{"a":1}]' | openssl dgst -sha256 -hmac KEY</c> prints them.</summary>
    [Theory]
    [InlineData("Jefe", "7", "body", "8cb64c6a2b005eaab54a577ddac227f54e1201470d4cec57f3fca2b8f74ae347")]
    [InlineData("a secret of enough bytes", "1767953700", "[{\"a\":1}]",
        "3aff6977963c0bd45068a1144fe0280c3a59d7dd98d870fa63e63470302b3685")]
    public void The_signature_is_hmac_sha_256_of_time_dot_body(string secret, string time, string body, string known) =>
        Assert.Equal(known, WebhookSink.Signature(Encoding.ASCII.GetBytes(secret), time,
            Encoding.ASCII.GetBytes(body)));
}
