using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Twin.Grains;

namespace Twin.Api.Tests;

public class ObservationsTests
{
    private const string Day = "2020-01-01T00:00:00Z";

    [Fact]
    public async Task EachLineIsAnsweredInOrder()
    {
        await using var service = await Service.Start();
        var body = Service.Line("m1", Day, 1, 2) + "not json\n" + Service.Line("m1", Day, 1, 2) + "\r\n"
            + Service.Line("m2", Day, FakeFleet.OddInterval, [1]) + Service.Line("m2", Day, 5).TrimEnd();
        using var response = await service.Post(body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.MediaType);
        var lines = await Service.Lines(response);
        Assert.Equal(["1 accepted", "2 rejected", "3 duplicate", "5 rejected", "6 accepted"], Service.Fates(lines));
        Assert.Null(lines[0]["reason"]);
        Assert.Equal("the line is no observation", (string?)lines[1]["reason"]);
        Assert.Equal("the interval does not divide a day", (string?)lines[3]["reason"]);
        Assert.Equal(3, service.Fleet.Readings);
        Assert.Equal(("http", 8), service.Fleet.Appended.Single());
    }

    [Fact]
    public async Task JsonIsGivenWhenAskedFor()
    {
        await using var service = await Service.Start();
        using var response = await service.Post(Service.Line("m1", Day, 1) + "x\n" + Service.Line("m1", Day, 1),
            "application/json");
        var json = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal((1, 1, 1, 2),
            ((int)json["accepted"]!, (int)json["duplicates"]!, (int)json["rejected"]!, (int)json["position"]!));
        Assert.Equal(["1 accepted", "2 rejected", "3 duplicate"], Service.Fates(json["results"]!.AsArray()));
    }

    [Fact]
    public async Task AnEmptyBodyHasNoResults()
    {
        await using var service = await Service.Start();
        using var response = await service.Post("\n \n");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Empty(await Service.Lines(response));
        Assert.Empty(service.Fleet.Appended);
    }

    [Fact]
    public async Task NothingIsAnsweredBeforeTheCommit()
    {
        var fleet = new FakeFleet();
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        fleet.Commit = _ =>
        {
            reached.TrySetResult();
            return gate.Task;
        };
        await using var service = await Service.Start(fleet);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/observations")
        { Content = new StringContent(Service.Line("m1", Day, 1), Encoding.UTF8, "application/x-ndjson") };
        var answer = service.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await reached.Task;
        Assert.False(answer.IsCompleted);
        Assert.Equal(0, fleet.Readings);
        gate.SetResult();
        using var response = await answer;
        Assert.Equal(["1 accepted"], Service.Fates(await Service.Lines(response)));
    }

    [Fact]
    public async Task FullBatchesAreAppendedInOrderUnderTheirSource()
    {
        await using var service = await Service.Start(limits: new ApiLimits { BatchItems = 4 });
        var body = string.Concat(Enumerable.Range(0, 5).Select(i => Service.Line($"m{i}", Day, i)));
        using var response = await service.Post(body, query: "?source=head-end/1");
        Assert.Equal(["1 accepted", "2 accepted", "3 accepted", "4 accepted", "5 accepted"],
            Service.Fates(await Service.Lines(response)));
        Assert.Equal([("head-end/1", 4), ("head-end/1", 4), ("head-end/1", 2)], service.Fleet.Appended);
        Assert.Equal(3, service.Fleet.Committed);
    }

    [Fact]
    public async Task TheSourceMayComeAsAHeader()
    {
        await using var service = await Service.Start();
        service.Client.DefaultRequestHeaders.Add("MeterTwin-Source", "collector-7");
        using var response = await service.Post(Service.Line("m1", Day, 1));
        Assert.Equal("collector-7", service.Fleet.Appended.Single().Source);
        using var wrong = await service.Post(Service.Line("m1", Day, 1), query: "?source=a%20b");
        await Service.AssertProblem(wrong, 400, "bad_source");
    }

    [Fact]
    public async Task WhenStorageFailsTheLinesDoneBeforeAreReported()
    {
        var fleet = new FakeFleet();
        var commits = 0;
        fleet.Commit = _ => ++commits == 2
            ? throw new StorageUnavailableException("The disk is full; free some space.", null) : Task.CompletedTask;
        await using var service = await Service.Start(fleet, new ApiLimits { BatchItems = 4 });
        var body = string.Concat(Enumerable.Range(0, 5).Select(i => Service.Line($"m{i}", Day, i)));
        using var response = await service.Post(body);
        var problem = await Service.AssertProblem(response, 503, "storage_unavailable");
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Equal(1, fleet.Committed);
        Assert.Equal("The disk is full; free some space.", (string?)problem["detail"]);
        Assert.Equal(2, (int?)problem["through_line"]);
        Assert.Equal(["1 accepted", "2 accepted"], Service.Fates(problem["results"]!.AsArray()));

        using var again = await service.Post(body);
        Assert.Equal(["1 duplicate", "2 duplicate", "3 accepted", "4 accepted", "5 accepted"],
            Service.Fates(await Service.Lines(again)));
    }

    [Fact]
    public async Task ATimeLimitReportsTheLinesDoneBefore()
    {
        var fleet = new FakeFleet();
        var commits = 0;
        fleet.Commit = _ => ++commits == 2 ? new TaskCompletionSource().Task : Task.CompletedTask;
        await using var service =
            await Service.Start(fleet, new ApiLimits { BatchItems = 2, IngestTime = TimeSpan.FromSeconds(2) });
        using var response = await service.Post(Service.Line("m1", Day, 1) + Service.Line("m2", Day, 1));
        var problem = await Service.AssertProblem(response, 503, "timed_out");
        Assert.Equal(["1 accepted"], Service.Fates(problem["results"]!.AsArray()));
    }

    private static ByteArrayContent Gzip(string text)
    {
        var to = new MemoryStream();
        using (var zip = new GZipStream(to, CompressionLevel.Fastest)) zip.Write(Encoding.UTF8.GetBytes(text));
        var content = new ByteArrayContent(to.ToArray());
        content.Headers.ContentEncoding.Add("gzip");
        return content;
    }

    [Fact]
    public async Task GzipIsTaken()
    {
        await using var service = await Service.Start();
        var body = string.Concat(Enumerable.Range(0, 3000).Select(i => Service.Line($"m{i}", Day, i, i + 1)));
        using var response = await service.Post(Gzip(body));
        var lines = await Service.Lines(response);
        Assert.Equal(3000, lines.Length);
        Assert.Equal("accepted", Assert.Single(lines.Select(l => (string?)l["status"]).Distinct()));
        Assert.Equal(6000, service.Fleet.Readings);
    }

    [Fact]
    public async Task DamagedGzipIsAnErrorAndWhatCameBeforeIsReported()
    {
        await using var service = await Service.Start();
        var plain = new ByteArrayContent("hello hello hello"u8.ToArray());
        plain.Headers.ContentEncoding.Add("gzip");
        using var response = await service.Post(plain);
        var problem = await Service.AssertProblem(response, 400, "bad_gzip");
        Assert.Equal(0, (int?)problem["through_line"]);
    }

    [Fact]
    public async Task ADecompressionBombStopsAtTheBound()
    {
        await using var service =
            await Service.Start(limits: new ApiLimits { MaxDecodedBytes = 100_000, BatchItems = 2 });
        using var response = await service.Post(Gzip(Service.Line("m1", Day, 1) + new string(' ', 5_000_000)));
        var problem = await Service.AssertProblem(response, 413, "body_too_large");
        Assert.Equal(["1 accepted"], Service.Fates(problem["results"]!.AsArray()));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("")]
    public async Task ALineThatIsTooLongIsRejectedAloneWhereverItStands(string end)
    {
        await using var service = await Service.Start(limits: new ApiLimits { MaxLineBytes = 1000 });
        var longLine = Service.Line("m1", Day, Enumerable.Range(0, 100_000).ToArray());
        using var response = await service.Post(longLine + Service.Line("m2", Day, 1) + longLine.TrimEnd() + end);
        var lines = await Service.Lines(response);
        Assert.Equal(["1 rejected", "2 accepted", "3 rejected"], Service.Fates(lines));
        Assert.Contains("1000 bytes", (string?)lines[0]["reason"]);
    }

    [Fact]
    public async Task TooManyLinesAreRefusedAfterTheFirstWereDone()
    {
        await using var service = await Service.Start(limits: new ApiLimits { MaxLines = 2, BatchItems = 2 });
        using var response = await service.Post(string.Concat(Enumerable.Repeat(Service.Line("m1", Day, 1), 3)));
        var problem = await Service.AssertProblem(response, 413, "body_too_large");
        Assert.Equal(["1 accepted", "2 duplicate"], Service.Fates(problem["results"]!.AsArray()));
    }

    [Fact]
    public async Task ReasonsAreBounded()
    {
        await using var service = await Service.Start(limits: new ApiLimits { MaxReasons = 1 });
        using var response = await service.Post("x\ny\n");
        var lines = await Service.Lines(response);
        Assert.Equal("the line is no observation", (string?)lines[0]["reason"]);
        Assert.StartsWith("rejected; only the first", (string?)lines[1]["reason"]);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("text/plain", null)]
    [InlineData("application/x-www-form-urlencoded", null)]
    [InlineData("application/x-ndjson", "br")]
    public async Task OtherTypesAndEncodingsAreRefused(string? type, string? encoding)
    {
        await using var service = await Service.Start();
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(Service.Line("m1", Day, 1)));
        if (type is not null) content.Headers.ContentType = new MediaTypeHeaderValue(type);
        if (encoding is not null) content.Headers.ContentEncoding.Add(encoding);
        using var response = await service.Client.PostAsync("/api/v1/observations", content);
        await Service.AssertProblem(response, 415, "unsupported_media_type");
        Assert.Empty(service.Fleet.Appended);
    }

    [Fact]
    public async Task ADeclaredBodyOverTheBoundIsRefusedUnread()
    {
        await using var service = await Service.Start(limits: new ApiLimits { MaxBodyBytes = 10 });
        using var response = await service.Post(Service.Line("m1", Day, 1));
        await Service.AssertProblem(response, 413, "body_too_large");
        Assert.Empty(service.Fleet.Appended);
    }
}
