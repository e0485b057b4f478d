using System.Collections.Concurrent;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Twin.Api;
using TokenReader = Twin.Api.TokenReader;

namespace Twin.Silo;

/// <summary>
/// How the API is reached: address, TLS, client certificates, tokens of the utility's own sign-in. Without settings it
/// is the loopback address, in the clear, with keys alone.
/// </summary>
internal sealed class Entrance : IDisposable
{
    /// <summary>Largest file of a certificate, a key or signing keys; a larger one is none.</summary>
    private const int MaxFile = 1024 * 1024;

    /// <summary>Open connections by address; as many as there are connections.</summary>
    private readonly ConcurrentDictionary<IPAddress, int> _connections = new();

    private readonly X509Certificate2? _certificate;
    private readonly X509Certificate2Collection? _authorities;

    private Entrance(IPAddress address, X509Certificate2? certificate, X509Certificate2Collection? authorities,
        TokenReader? tokens, string[] hosts) =>
        (Address, _certificate, _authorities, ReadToken, Hosts) = (address, certificate, authorities, tokens, hosts);

    public static Entrance Loopback { get; } = new(IPAddress.Loopback, null, null, null, []);

    public IPAddress Address { get; }
    public bool IsTls => _certificate is not null;
    public TokenReader? ReadToken { get; }
    public IReadOnlyList<string> Hosts { get; }

    /// <summary>
    /// The service that a certificate is of, by its common name; the handshake has checked the chain. Null: none are
    /// taken.
    /// </summary>
    public Func<X509Certificate2, string?>? ReadCertificate => _authorities is null ? null
        : static c => c.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { Length: > 0 } name ? name : null;

    /// <exception cref="SettingException">What is set does not fit together, or a file cannot be used.</exception>
    public static Entrance Of(Settings settings)
    {
        var address = IPAddress.Parse(settings.Listen);
        var certificate = settings.TlsCertificate is { } file ? Certificate(file, settings.TlsKey) : null;
        if (certificate is null && !IPAddress.IsLoopback(address))
            throw new SettingException($"'listen' is {address}, which others reach, and there is no TLS: keys would "
                + "go over the network in the clear. Set tls-cert and tls-key, or listen on 127.0.0.1 behind a proxy.");
        if (certificate is null && settings.ClientAuthority is not null)
            throw new SettingException("'client-ca' needs TLS: set tls-cert and tls-key.");
        X509Certificate2Collection? authorities = null;
        if (settings.ClientAuthority is { } ca)
        {
            authorities = [];
            Read(ca, "client-ca", () => authorities.ImportFromPemFile(ca));
            if (authorities.Count == 0)
                throw new SettingException($"'client-ca' is '{ca}', which holds no certificate in PEM.");
        }
        return new Entrance(address, certificate, authorities, Tokens(settings), settings.AllowedHosts);
    }

    private static X509Certificate2 Certificate(string file, string? key)
    {
        X509Certificate2? found = null;
        Read(file, "tls-cert", () => found = X509Certificate2.CreateFromPemFile(file, key));
        return found!;
    }

    private static void Read(string file, string setting, Action read)
    {
        try
        {
            if (new FileInfo(file) is { Exists: true, Length: > MaxFile })
                throw new SettingException($"'{setting}' is '{file}', which is larger than {MaxFile} bytes.");
            read();
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException
            or ArgumentException)
        {
            throw new SettingException($"'{setting}' is '{file}', which cannot be used: {e.Message} "
                + "It must be a file in PEM that this user may read.");
        }
    }

    private static TokenReader? Tokens(Settings settings)
    {
        if (settings.OidcIssuer is not { } issuer) return null;
        if (settings.OidcAudience is not { } audience || settings.OidcKeys is not { } file)
            throw new SettingException("'oidc-issuer' needs 'oidc-audience' and 'oidc-keys' (the issuer's JWKS, as a "
                + "file).");
        IReadOnlyList<SecurityKey> keys = [];
        Read(file, "oidc-keys", () => keys = [.. new JsonWebKeySet(File.ReadAllText(file)).GetSigningKeys()]);
        if (keys.Count == 0)
            throw new SettingException($"'oidc-keys' is '{file}', which holds no signing key (RFC 7517).");
        var rules = new TokenValidationParameters
        {
            ValidIssuer = issuer, ValidAudience = audience, IssuerSigningKeys = keys, RequireExpirationTime = true,
            RequireSignedTokens = true, ClockSkew = TimeSpan.FromMinutes(1),
            // Named, so that nobody may choose a weaker one, or a public key for a shared secret.
            ValidAlgorithms = [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSsaPssSha256,
                SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384],
        };
        var (handler, claim) = (new JsonWebTokenHandler(), settings.OidcClaim);
        return async token => await handler.ValidateTokenAsync(token, rules) is { IsValid: true } valid
            && valid.Claims.TryGetValue(claim, out var name) ? name as string : null;
    }

    /// <summary>Has the server listen.</summary>
    public void Listen(KestrelServerOptions kestrel, int port) => kestrel.Listen(Address, port, listen =>
    {
        listen.Use(next => connection => Bounded(connection, next));
        if (_certificate is null) return;
        listen.UseHttps(new HttpsConnectionAdapterOptions
        {
            ServerCertificate = _certificate,
            SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateMode = _authorities is null ? ClientCertificateMode.NoCertificate
                : ClientCertificateMode.AllowCertificate,
            ClientCertificateValidation = (certificate, _, _) => IsOurs(certificate),
        });
    });

    /// <summary>One address takes at most half of all connections; this machine, with its proxy, may take them all.
    /// </summary>
    private async Task Bounded(ConnectionContext connection, ConnectionDelegate next)
    {
        if (connection.RemoteEndPoint is not IPEndPoint { Address: var from } || IPAddress.IsLoopback(from))
        {
            await next(connection);
            return;
        }
        try
        {
            if (_connections.AddOrUpdate(from, 1, static (_, n) => n + 1) <= new ApiLimits().Connections / 2)
                await next(connection);
        }
        finally
        {
            if (_connections.AddOrUpdate(from, 0, static (_, n) => n - 1) == 0)
                _connections.TryRemove(new KeyValuePair<IPAddress, int>(from, 0));
        }
    }

    /// <summary>Of one of the authorities that were named, and of no other. Revocation is by taking the service's role.
    /// </summary>
    private bool IsOurs(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities!);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.2")); // client authentication, RFC 5280
        return chain.Build(certificate);
    }

    public void Dispose()
    {
        _certificate?.Dispose();
        foreach (var authority in _authorities ?? []) authority.Dispose();
    }
}
