using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Twin.Hardware;

namespace Twin.Api.Tests;

/// <summary>The shell, its files, and the plain page where the build made no console.</summary>
public partial class ConsoleTests
{
    private const string ShellHtml = """
        <!doctype html><link href="/console/style.css"><script src="/console/app.js"></script>
        """;

    private static ConsoleFiles Files(string script = "let a;") => new(new Dictionary<string, byte[]>
    {
        ["index.html"] = Encoding.UTF8.GetBytes(ShellHtml), ["app.js"] = Encoding.UTF8.GetBytes(script),
        ["style.css"] = "b{}"u8.ToArray(),
    });

    private static readonly ConsoleFiles None = new(new Dictionary<string, byte[]>());

    private static Task<Service> Start(ConsoleFiles files, Identify? identify = null) =>
        Service.Start(identify: identify, console: files);

    private static readonly Identify Nobody = static _ => new((Caller?)null);

    [Theory]
    [InlineData("/")]
    [InlineData("/triage?condition=ongoing")]
    [InlineData("/cases/00ff-1")]
    [InlineData("/meters")]
    [InlineData("/meters/0123456789abcdef")]
    [InlineData("/fleet")]
    [InlineData("/policies")]
    [InlineData("/sign-in")]
    public async Task EveryScreenIsTheShellForEverybody(string path)
    {
        await using var service = await Start(Files(), Nobody);
        using var response = await service.Client.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("no-cache", response.Headers.CacheControl?.ToString());
        var html = await response.Content.ReadAsStringAsync();
        var names = FileName().Matches(html).Select(m => m.Value).ToArray();
        Assert.Equal(2, names.Length);
        foreach (var name in names) Assert.Matches("^/console/(app|style)-[0-9a-f]{16}\\.(js|css)$", name);
    }

    [Fact]
    public async Task ThePolicyAllowsNothingInlineAndNothingFromElsewhere()
    {
        await using var service = await Start(Files());
        using var response = await service.Client.GetAsync("/");
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.DoesNotContain("unsafe", policy);
        var parts = policy.Split("; ").ToDictionary(p => p.Split(' ')[0], p => p[(p.IndexOf(' ') + 1)..]);
        Assert.Equal("'none'", parts["default-src"]);
        foreach (var own in (string[])["script-src", "style-src", "connect-src"]) Assert.Equal("'self'", parts[own]);
        foreach (var no in (string[])["font-src", "frame-ancestors", "base-uri", "form-action"])
            Assert.Equal("'none'", parts[no]);
        Assert.Equal("'self' data:", parts["img-src"]);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact]
    public async Task AFileIsKeptForEverAndAskedForAgainByItsTag()
    {
        await using var service = await Start(Files(), Nobody);
        var name = FileName().Match(await service.Client.GetStringAsync("/fleet")).Value;
        using var first = await service.Client.GetAsync(name);
        Assert.Equal("public, max-age=31536000, immutable", first.Headers.CacheControl?.ToString());
        Assert.Equal("text/css", first.Content.Headers.ContentType?.MediaType);
        Assert.Equal("b{}", await first.Content.ReadAsStringAsync());
        using var again = new HttpRequestMessage(HttpMethod.Get, name);
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await service.Client.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Fact]
    public async Task AnUnknownFileIsAProblem()
    {
        await using var service = await Start(Files());
        foreach (var name in (string[])["app.js", "app-0000000000000000.js", "index.html", "x"])
            await service.AssertProblem($"/console/{name}", 404, "console_file_not_found");
    }

    [Fact]
    public void ANewContentHasANewName()
    {
        string NameOf(ConsoleFiles files) => FileName().Matches(Encoding.UTF8.GetString(files.Shell!.Bytes))[1].Value;
        Assert.Equal(NameOf(Files()), NameOf(Files()));
        Assert.NotEqual(NameOf(Files()), NameOf(Files("let b;")));
        Assert.NotEqual(Files().Shell!.Tag, Files("let b;").Shell!.Tag);
    }

    [Fact]
    public async Task WithoutAConsoleThereIsThePlainPageAndTheRemedy()
    {
        await using var service = await Start(None);
        var page = await service.Client.GetStringAsync("/");
        Assert.Contains("Install Node, then: dotnet build", page);
        Assert.Contains("What runs here", page);
        using var screen = await service.Client.GetAsync("/fleet");
        Assert.Equal((HttpStatusCode.Redirect, "/"), (screen.StatusCode, screen.Headers.Location?.ToString()));
    }

    [Fact]
    public async Task WhoMayNotReadIsToldHowToComeInAndNothingElse()
    {
        await using var service = await Start(None, Nobody);
        service.Fleet.AddMeter("secret-name");
        var page = await service.Client.GetStringAsync("/");
        Assert.Contains("metertwin key create", page);
        Assert.DoesNotContain("secret-name", page);
        Assert.DoesNotContain("What runs here", page);
    }

    [Fact]
    public async Task ThePlainPageStaysBesideTheConsoleForWhoMayRead()
    {
        await using var service = await Start(Files());
        var page = await service.Client.GetStringAsync("/plain");
        Assert.Contains("What runs here", page);
        Assert.DoesNotContain("Install Node", page);
        await using var closed = await Start(Files(), Nobody);
        await closed.AssertProblem("/plain", 401, "credential_required");
    }

    [Fact]
    public void FilesWithoutAShellOrOfAnUnknownKindAreRefused()
    {
        Assert.Contains("index.html", Assert.Throws<InvalidOperationException>(() =>
            new ConsoleFiles(new Dictionary<string, byte[]> { ["app.js"] = [1] })).Message);
        Assert.Contains("a.exe", Assert.Throws<InvalidOperationException>(() =>
            new ConsoleFiles(new Dictionary<string, byte[]> { ["index.html"] = [1], ["a.exe"] = [1] })).Message);
    }

    [GeneratedRegex("/console/[^\"]+")]
    private static partial Regex FileName();
}
