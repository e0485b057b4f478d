using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Twin.Hardware;

namespace Twin.Api.Tests;

/// <summary>What a head-end sends: messages of IEC 61968-9, and replies to orders.</summary>
public class HeadEndTests
{
    private const string Replies = "/api/v1/head-end/replies", Observations = "/api/v1/observations";

    private static readonly TwinKey s_case = new(TwinKind.Case, 1);

    private static ResponseOutcome Outcome(Stream message, bool isJson)
    {
        using var reader = new StreamReader(message);
        var text = reader.ReadToEnd();
        return text == "good" ? new ResponseOutcome(s_case, new UnixTime(1_767_953_700), 1, false, ResponseResult.Done,
            isJson ? "json" : "xml", "") : throw new FormatException($"'{text}' is odd.");
    }

    private static async Task<HttpResponseMessage> Post(Service service, string path, byte[] body, string? type,
        bool isGzip = false)
    {
        using var content = new ByteArrayContent(body);
        if (type is not null) content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        if (isGzip) content.Headers.ContentEncoding.Add("gzip");
        return await service.Client.PostAsync(path, content);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Event(string at) => "<EndDeviceEvent><createdDateTime>" + at + "</createdDateTime><Assets>"
        + "<mRID>m1</mRID></Assets><EndDeviceEventType ref=\"3.26.0.85\"/></EndDeviceEvent>";

    [Fact]
    public async Task A_reply_is_appended_before_it_is_answered()
    {
        await using var service = await Service.Start(replies: Outcome);
        service.Fleet.Book.Known.Add(FakeLedger.Ordered(s_case, 1));
        using var answer = await Post(service, Replies, Bytes("good"), "application/xml; charset=utf-8");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var json = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal((1, "accepted"), ((long)json["position"]!, (string?)json["status"]));
        Assert.Equal(("gateway", 1), Assert.Single(service.Fleet.Appended));
        using var other = await Post(service, Replies, Bytes("good"), "application/json");
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task A_reply_to_an_order_that_was_never_given_makes_no_case()
    {
        await using var service = await Service.Start(replies: Outcome);
        service.Fleet.Book.Known.Add(FakeLedger.Ordered(s_case, 2));
        using var answer = await Post(service, Replies, Bytes("good"), "application/json");
        await Service.AssertProblem(answer, 422, "reply_refused");
        Assert.Empty(service.Fleet.Appended);
    }

    [Theory]
    [InlineData("bad", "text/xml", 400, "bad_reply")]
    [InlineData("good", "text/plain", 415, "unsupported_media_type")]
    [InlineData("good", null, 415, "unsupported_media_type")]
    public async Task A_reply_that_cannot_be_taken_is_a_problem(string body, string? type, int status, string code)
    {
        await using var service = await Service.Start(replies: Outcome);
        using var answer = await Post(service, Replies, Bytes(body), type);
        await Service.AssertProblem(answer, status, code);
    }

    [Fact]
    public async Task Without_a_head_end_nobody_replies()
    {
        await using var service = await Service.Start();
        using var answer = await Post(service, Replies, Bytes("good"), "application/xml");
        await Service.AssertProblem(answer, 404, "no_head_end");
    }

    [Fact]
    public async Task Sizes_are_bounded_before_and_after_decompression()
    {
        await using var service = await Service.Start(replies: Outcome,
            limits: new ApiLimits { MaxMessageBytes = 1_000 });
        using var zipped = new MemoryStream();
        await using (var gzip = new GZipStream(zipped, CompressionLevel.Optimal, leaveOpen: true))
            await gzip.WriteAsync(new byte[1_001]);
        Assert.True(zipped.Length < 100);
        foreach (var path in (string[])[Replies, Observations])
        {
            using var large = await Post(service, path, new byte[1_001], "application/xml");
            await Service.AssertProblem(large, 413, "body_too_large");
            using var bomb = await Post(service, path, zipped.ToArray(), "application/xml", isGzip: true);
            await Service.AssertProblem(bomb, 413, "body_too_large");
            using var torn = await Post(service, path, [1, 2, 3], "application/xml", isGzip: true);
            await Service.AssertProblem(torn, 400, "bad_gzip");
        }
    }

    [Fact]
    public async Task A_message_comes_in_whole_or_not_at_all()
    {
        await using var service = await Service.Start();
        using var flawed = await Post(service, Observations,
            Bytes("<E>" + Event("2026-01-09T10:15:00Z") + Event("later") + "</E>"), "text/xml");
        var problem = await Service.AssertProblem(flawed, 400, "bad_message");
        Assert.Contains("'later' is no time", (string?)problem["detail"]);
        Assert.Empty(service.Fleet.Appended);
        using var good = await Post(service, Observations + "?source=amd",
            Bytes("<E>" + Event("2026-01-09T10:15:00Z") + Event("2026-01-09T10:16:00Z") + "</E>"), "application/xml");
        var json = JsonNode.Parse(await good.Content.ReadAsStringAsync())!;
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        // The meter is told first.
        Assert.Equal((3, 3, 0), ((int)json["inputs"]!, (int)json["accepted"]!, (int)json["rejected"]!));
        Assert.Equal(("amd", 3), Assert.Single(service.Fleet.Appended));
        using var empty = await Post(service, Observations, Bytes("<E/>"), "application/xml");
        await Service.AssertProblem(empty, 400, "bad_message");
        using var entity = await Post(service, Observations,
            Bytes("<!DOCTYPE E [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><E>&x;</E>"), "application/xml");
        await Service.AssertProblem(entity, 400, "bad_message");
    }
}
