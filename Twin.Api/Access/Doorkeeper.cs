using System.Net;
using Microsoft.AspNetCore.Http;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// A token of somebody else's issuer, checked: who it is. Null: it is not valid.
/// </summary>
public delegate ValueTask<string?> TokenReader(string token);

/// <summary>
/// Finds who asks: a key, a session, a token of the utility's own sign-in, a client certificate, or, while there is no
/// key at all, whoever is at this machine.
/// </summary>
internal sealed class Doorkeeper(AccessBook book, Sessions sessions, ApiOptions options, FailedTries tries)
{
    private const string Bearer = "Bearer ";

    /// <summary>Longest credential that is looked at.</summary>
    private const int MaxCredential = 8 * 1024;

    /// <exception cref="ApiProblem">401 or 429, see <see cref="Identify"/>.</exception>
    public async ValueTask<Caller?> Identify(HttpContext http)
    {
        var cancel = http.RequestAborted;
        await book.Refresh(cancel);
        var header = http.Request.Headers.Authorization;
        if (header.Count > 0)
        {
            var text = header.ToString();
            if (header.Count > 1 || text.Length > MaxCredential
                || !text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
                throw AccessBook.Unauthorised("credential_malformed",
                    "The header Authorization is none of this service.",
                    "Send Authorization: Bearer KEY.");
            return await OfToken(http, text[Bearer.Length..].Trim(), cancel);
        }
        if (http.Request.Cookies[Sessions.Cookie] is { Length: > 0 and < 128 } cookie
            && sessions.Find(cookie) is var (holder, credential))
        {
            // A session lasts no longer than the key that opened it.
            if (ApiKey.TryReadName(credential, out var id)) RequireGood(book.Key(id));
            return await book.CallerOf(holder, credential, cancel);
        }
        if (options.ReadCertificate is not null && http.Connection.ClientCertificate is { } certificate
            && options.ReadCertificate(certificate) is { } service)
        {
            // Whoever issues certificates to devices must not be able to issue a person.
            if (book.HolderOf(service) is { IsService: false })
                throw AccessBook.Unauthorised("certificate_of_person", "A client certificate names a person.",
                    "Certificates are for services; a person signs in with a key or a token.");
            return await book.CallerOf(service, "certificate:" + certificate.Thumbprint[..16].ToLowerInvariant(),
                cancel);
        }
        return book.IsOpen && IsHere(http.Connection.RemoteIpAddress) ? Caller.Local : null;
    }

    private async ValueTask<Caller> OfToken(HttpContext http, string token, CancellationToken cancel)
    {
        if (!ApiKey.TryRead(token, out _, out _) && options.ReadToken is { } read && await read(token) is { } person)
        {
            if (book.HolderOf(person) is { IsService: true })
                throw AccessBook.Unauthorised("token_of_service", "A token names a service.",
                    "Tokens are for persons; a service has a key or a certificate.");
            return await book.CallerOf(person, "oidc:" + PersonKey.Of(person), cancel);
        }
        var key = await Open(http, token, cancel);
        return await book.CallerOf(key.Holder, ApiKey.NameOf(key.Id), cancel);
    }

    /// <summary>The key that a text is.</summary>
    /// <exception cref="ApiProblem">401: there is none, or it is of no use any more; 429: too many tries.</exception>
    public async ValueTask<Grains.Access.KeyRecord> Open(HttpContext http, string text, CancellationToken cancel)
    {
        var from = http.Connection.RemoteIpAddress?.ToString() ?? "local";
        await book.Refresh(cancel);
        if (!ApiKey.TryRead(text, out var id, out var secret) || book.Key(id) is not { } key
            || !ApiKey.Fits(key, secret))
        {
            tries.Require(from);
            if (tries.Add(from) is var count and > 0)
            {
                var now = options.Now();
                await book.Note(new AccessNoted(now, new Actor("unknown", $"from {from}"), AccessKind.SignInsFailed,
                    default, now, now, count, $"from {from}"), cancel);
            }
            throw AccessBook.Unauthorised("key_unknown", "There is no such key.",
                "Send the key as it was printed when it was made, or ask an admin for another.");
        }
        RequireGood(key);
        return key;
    }

    private void RequireGood(Grains.Access.KeyRecord? key)
    {
        if (key?.RevokedAt is not null || key is null)
            throw AccessBook.Unauthorised("key_revoked", "The key was revoked.", "Ask an admin for another.");
        if (key.ExpiresAt is { } end && options.Now().Seconds >= end.Seconds)
            throw AccessBook.Unauthorised("key_expired", $"The key was good until {end}.", "Ask an admin for another.");
    }

    private static bool IsHere(IPAddress? from) => from is null || IPAddress.IsLoopback(from)
        || from.IsIPv4MappedToIPv6 && IPAddress.IsLoopback(from.MapToIPv4());
}

/// <summary>
/// Counts keys that were none, by address. After <see cref="Most"/> within ten minutes an address hears 429, and it is
/// told once. A key that holds is taken all the same: none can be guessed, and nobody behind the same proxy or at the
/// same machine is to be locked out.
/// </summary>
internal sealed class FailedTries(TimeProvider clock)
{
    public const int Most = 20;

    /// <summary>Addresses that are watched; at the bound all are forgotten, which lets nobody in.</summary>
    private const int MaxAddresses = 4_096;

    private static readonly TimeSpan s_span = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (long Since, int Count)> _tries = new(StringComparer.Ordinal);

    /// <exception cref="ApiProblem">429: it has to wait.</exception>
    public void Require(string from)
    {
        lock (_gate)
        {
            if (!_tries.TryGetValue(from, out var tried) || tried.Count < Most) return;
            var left = s_span - clock.GetElapsedTime(tried.Since);
            if (left > TimeSpan.Zero)
                throw new ApiProblem(429, "too_many_tries", "Too many keys that are none came from this address.",
                    "Wait as long as Retry-After says, and send the right key.")
                { RetryAfterSeconds = (int)Math.Ceiling(left.TotalSeconds) };
            _tries.Remove(from);
        }
    }

    /// <summary>The number of tries when it is to be told, else 0.</summary>
    public int Add(string from)
    {
        lock (_gate)
        {
            if (_tries.Count >= MaxAddresses) _tries.Clear();
            if (!_tries.TryGetValue(from, out var tried) || clock.GetElapsedTime(tried.Since) >= s_span)
                tried = (clock.GetTimestamp(), 0);
            _tries[from] = (tried.Since, tried.Count + 1);
            return tried.Count + 1 == Most ? Most : 0;
        }
    }
}
