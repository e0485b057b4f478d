using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Twin.Api;

/// <summary>
/// Sessions of browsers and links that open one. Both are in memory: a restart ends them, and who sat before a page
/// signs in again. Only digests are kept, so that a memory dump holds no cookie.
/// </summary>
public sealed class Sessions(TimeProvider clock)
{
    public const string Cookie = "metertwin-session";

    /// <summary>Sessions at once; at the bound the one that was used longest ago ends.</summary>
    public const int MaxSessions = 1_000;

    /// <summary>Sessions of one holder; at the bound the own one that was used longest ago ends.</summary>
    private const int MaxOfHolder = 20;

    /// <summary>Links at once; at the bound the oldest is good no more.</summary>
    private const int MaxLinks = 64;

    private static readonly TimeSpan s_idle = TimeSpan.FromHours(1), s_longest = TimeSpan.FromHours(12),
        s_link = TimeSpan.FromMinutes(30);

    private sealed class Session(string holder, string credential, long begun)
    {
        public string Holder { get; } = holder;
        public string Credential { get; } = credential;
        public long Begun { get; } = begun;
        public long Used = begun;
    }

    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Session> _links = new(StringComparer.Ordinal);

    /// <summary>Begins a session; the text is for the cookie.</summary>
    public string Begin(string holder, string credential) =>
        Add(_sessions, MaxSessions, holder, credential);

    /// <summary>Makes a link that opens a session once, within half an hour.</summary>
    public string MakeLink(string holder) => Add(_links, MaxLinks, holder, "");

    private string Add(ConcurrentDictionary<string, Session> to, int most, string holder, string credential)
    {
        var own = to.Where(s => s.Value.Holder == holder).ToArray();
        if (own.Length >= MaxOfHolder) to.TryRemove(own.MinBy(s => s.Value.Used).Key, out _);
        while (to.Count >= most && to.MinBy(s => s.Value.Used) is { Key: not null } oldest)
            to.TryRemove(oldest.Key, out _);
        var bytes = RandomNumberGenerator.GetBytes(32);
        var text = Base64Url.EncodeToString(bytes);
        var name = credential.Length > 0 ? credential : "session:"
            + Convert.ToHexStringLower(SHA256.HashData(bytes)[..4]);
        to[DigestOf(text)] = new Session(holder, name, clock.GetTimestamp());
        return text;
    }

    /// <summary>Whose session a cookie is of; null when it is none or over.</summary>
    public (string Holder, string Credential)? Find(string cookie)
    {
        var key = DigestOf(cookie);
        if (!_sessions.TryGetValue(key, out var session)) return null;
        if (clock.GetElapsedTime(session.Begun) > s_longest || clock.GetElapsedTime(session.Used) > s_idle)
        {
            _sessions.TryRemove(key, out _);
            return null;
        }
        session.Used = clock.GetTimestamp();
        return (session.Holder, session.Credential);
    }

    /// <summary>Takes a link; null when there is none such, it is too old, or it was taken.</summary>
    public (string Holder, string Credential)? Take(string link) => _links.TryRemove(DigestOf(link), out var session)
        && clock.GetElapsedTime(session.Begun) <= s_link ? (session.Holder, session.Credential) : null;

    public void End(string cookie) => _sessions.TryRemove(DigestOf(cookie), out _);

    private static string DigestOf(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
