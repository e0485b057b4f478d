using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;

namespace Twin.Silo.Tests.Access;

/// <summary>The real server: TLS, client certificates and tokens, with authorities and issuers made here.</summary>
public sealed class EntranceTests : IAsyncLifetime
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly Actor s_root = new("root", "test");
    private static readonly DateTime s_end = new(2090, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly TestDirectory _directory = new();
    private readonly TestAuthority _web = new("web"), _devices = new("devices"), _strangers = new("strangers");
    private EmbeddedFleet _fleet = null!;
    private string _key = "";

    public async Task InitializeAsync()
    {
        _fleet = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = _directory.Sub("data"), Shards = 1 },
            new TwinFactory(), null);
        var at = new UnixTime(1_700_000_000);
        var batch = new InputBatch("test");
        foreach (var (name, service, role) in ((string, bool, Role)[])[("Anna", false, Role.Approver),
            ("Vera", false, Role.Viewer), ("head-end-1", true, Role.Sender)])
            batch.Add(new HolderSet(at, s_root, name, service, role, [], false, false, ""));
        (_key, var made) = ApiKey.Make(at, s_root, "Vera", null, "");
        batch.Add(made);
        Assert.All((await _fleet.Append(batch, default)).Items,
            i => Assert.Equal(AdmissionStatus.Accepted, i.Status));
    }

    public async Task DisposeAsync()
    {
        await _fleet.DisposeAsync().AsTask().WaitAsync(s_patience);
        foreach (var authority in (TestAuthority[])[_web, _devices, _strangers]) authority.Dispose();
        _directory.Dispose();
    }

    private string File(string name, string text)
    {
        var path = _directory.Sub(name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    private static Settings Of(params (string Key, string Value)[] flags) =>
        Settings.Load(flags.ToDictionary(f => f.Key, f => f.Value), static _ => null, "no-such-file");

    private (string, string)[] Tls() =>
    [
        ("tls-cert", File("server.pem", _web.Issue("server", isServer: true))),
        ("client-ca", File("devices.pem", _devices.Certificate.ExportCertificatePem())),
    ];

    private async Task<(WebApplication App, Entrance Door)> Start(params (string, string)[] settings)
    {
        var door = Entrance.Of(Of(settings));
        return (await ApiHost.Start(_fleet, 0, ServiceMode.Live, default, TimeProvider.System, entrance: door)
            .WaitAsync(s_patience), door);
    }

    /// <summary>A client that trusts the test's authority alone, and shows a certificate if it has one.</summary>
    private HttpClient Client(WebApplication app, string? pem = null)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
        {
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(_web.Certificate);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            return chain.Build((X509Certificate2)certificate!);
        };
        if (pem is not null)
        {
            var own = X509Certificate2.CreateFromPem(pem, pem);
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => own;
        }
        return new HttpClient(handler) { BaseAddress = new Uri(ApiHost.Address(app)), Timeout = s_patience };
    }

    private static async Task<(int Status, string? Code)> Ask(HttpClient client, string path, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await client.SendAsync(request).WaitAsync(s_patience);
        var text = await answer.Content.ReadAsStringAsync().WaitAsync(s_patience);
        return ((int)answer.StatusCode, answer.IsSuccessStatusCode ? null : (string?)JsonNode.Parse(text)!["code"]);
    }

    private static async Task<int> Send(HttpClient client)
    {
        using var body = new StringContent("", Encoding.UTF8, "application/x-ndjson");
        using var answer = await client.PostAsync("/api/v1/observations", body).WaitAsync(s_patience);
        return (int)answer.StatusCode;
    }

    [Fact]
    public async Task Over_tls_a_key_is_asked_for_and_the_browser_is_told_to_stay_with_it()
    {
        var (app, door) = await Start(Tls());
        await using var _ = app;
        using var __ = door;
        using var client = Client(app);
        Assert.Equal((401, "credential_required"), await Ask(client, "/api/v1/meters"));
        Assert.Equal((200, null), await Ask(client, "/api/v1/meters", _key));
        using var answer = await client.PostAsync("/api/v1/session",
            new StringContent($$"""{"key":"{{_key}}"}""", Encoding.UTF8, "application/json")).WaitAsync(s_patience);
        Assert.Equal("max-age=31536000", answer.Headers.GetValues("Strict-Transport-Security").Single());
        Assert.Contains("; secure;", answer.Headers.GetValues("Set-Cookie").Single());
    }

    [Fact]
    public async Task A_client_certificate_is_a_service_that_sends_and_nothing_else()
    {
        var (app, door) = await Start(Tls());
        await using var _ = app;
        using var __ = door;
        using (var headEnd = Client(app, _devices.Issue("head-end-1", isServer: false)))
        {
            Assert.Equal(200, await Send(headEnd));
            Assert.Equal((403, "role_not_sufficient"), await Ask(headEnd, "/api/v1/meters"));
        }
        using (var person = Client(app, _devices.Issue("Anna", isServer: false)))
            Assert.Equal((401, "certificate_of_person"), await Ask(person, "/api/v1/meters"));
        using (var unknown = Client(app, _devices.Issue("head-end-2", isServer: false)))
            Assert.Equal((401, "person_disabled"), await Ask(unknown, "/api/v1/meters"));
        foreach (var pem in (string[])
        [
            _strangers.Issue("head-end-1", isServer: false), _web.Issue("head-end-1", isServer: false),
            _devices.Issue("head-end-1", isServer: true),
            _devices.Issue("head-end-1", isServer: false, new DateTimeOffset(2021, 1, 1, 0, 0, 0, TimeSpan.Zero)),
        ])
        {
            using var refused = Client(app, pem);
            await Assert.ThrowsAsync<HttpRequestException>(() => Ask(refused, "/api/v1/meters"));
        }
    }

    [Fact]
    public async Task A_token_is_taken_from_the_issuer_for_this_service_while_it_is_valid()
    {
        using var signing = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = new ECDsaSecurityKey(signing) { KeyId = "k1" };
        var jwk = JsonWebKeyConverter.ConvertFromECDsaSecurityKey(
            new ECDsaSecurityKey(ECDsa.Create(signing.ExportParameters(false))) { KeyId = "k1" });
        var set = $$"""{"keys":[{"kty":"EC","use":"sig","crv":"P-256","kid":"k1","x":"{{jwk.X}}","y":"{{jwk.Y}}"}]}""";
        var (app, door) = await Start(("oidc-issuer", "https://login.example"), ("oidc-audience", "metertwin"),
            ("oidc-keys", File("keys.json", set)), ("oidc-claim", "sub"));
        await using var _ = app;
        using var __ = door;
        using var client = Client(app);
        string Token(string person = "Anna", string issuer = "https://login.example", string audience = "metertwin",
            DateTime? end = null, SigningCredentials? by = null) => new JsonWebTokenHandler().CreateToken(
            new SecurityTokenDescriptor
            {
                Issuer = issuer, Audience = audience, Expires = end ?? s_end, NotBefore = new DateTime(2020, 1, 1),
                IssuedAt = new DateTime(2020, 1, 1),
                SigningCredentials = by ?? new SigningCredentials(key, SecurityAlgorithms.EcdsaSha256),
                Claims = new Dictionary<string, object> { ["sub"] = person },
            });
        Assert.Equal((200, null), await Ask(client, "/api/v1/policies", Token()));
        Assert.Equal((401, "person_disabled"), await Ask(client, "/api/v1/meters", Token("Mallory")));
        // A token is a person's, and each has a credential of the own.
        Assert.Equal((401, "token_of_service"), await Ask(client, "/api/v1/meters", Token("head-end-1")));
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var parts = Token().Split('.');
        foreach (var bad in (string[])
        [
            Token(issuer: "https://elsewhere.example"), Token(audience: "billing"),
                Token(end: new DateTime(2021, 1, 1)),
            Token(by: new SigningCredentials(new ECDsaSecurityKey(other) { KeyId = "k1" },
                SecurityAlgorithms.EcdsaSha256)),
            Token(by: new SigningCredentials(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(set)) { KeyId = "k1" },
                SecurityAlgorithms.HmacSha256)),
            $"{Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""")}.{parts[1]}.",
            parts[0] + "." + Base64UrlEncoder.Encode(Base64UrlEncoder.Decode(parts[1]).Replace("Anna", "Vera")) + "."
                + parts[2],
        ])
            Assert.Equal((401, "key_unknown"), await Ask(client, "/api/v1/meters", bad));
    }

    [Fact]
    public void What_does_not_fit_together_is_said_at_the_start()
    {
        var own = File("own.pem", _web.Issue("server", isServer: true));
        Assert.Contains("no TLS", Assert.Throws<SettingException>(() => Entrance.Of(Of(("listen", "0.0.0.0"))))
            .Message);
        Assert.Contains("needs TLS", Assert.Throws<SettingException>(() => Entrance.Of(Of(("client-ca", own))))
            .Message);
        Assert.Contains("cannot be used", Assert.Throws<SettingException>(
            () => Entrance.Of(Of(("tls-cert", _directory.Sub("none.pem"))))).Message);
        Assert.Contains("oidc-audience", Assert.Throws<SettingException>(
            () => Entrance.Of(Of(("oidc-issuer", "https://login.example")))).Message);
        using var fine = Entrance.Of(Of(("listen", "0.0.0.0"), ("tls-cert", own)));
        Assert.True(fine.IsTls);
    }

    [Fact]
    public async Task No_secret_is_in_the_directory()
    {
        await _fleet.DisposeAsync().AsTask().WaitAsync(s_patience);
        var secret = Encoding.ASCII.GetBytes(_key[20..]);
        var raw = System.Buffers.Text.Base64Url.DecodeFromChars(_key.AsSpan(20));
        var files = Directory.GetFiles(_directory.Sub("data"), "*", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var bytes = await System.IO.File.ReadAllBytesAsync(file);
            Assert.True(bytes.AsSpan().IndexOf(secret) < 0 && bytes.AsSpan().IndexOf(raw) < 0, file);
        }
    }
}
