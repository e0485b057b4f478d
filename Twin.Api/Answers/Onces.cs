using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// Commands that are done once however often they are sent: header <c>Idempotency-Key</c>, as in
/// draft-ietf-httpapi-idempotency-key-header. This process remembers the answers of the newest
/// <see cref="MaxKept"/> keys, each of one credential. What it does not remember, the ledger does: the act itself bears
/// the key (<see cref="Tag"/>), so that one that was journalled is not done again, also after a restart. Which requests
/// are under way is known to each process for itself.
/// </summary>
internal sealed class Onces
{
    /// <summary>Keys whose answers are remembered; at the bound the oldest answer goes.</summary>
    private const int MaxKept = 10_000;

    /// <summary>An answer that is larger is not remembered; the ledger tells that it was done.</summary>
    private const int MaxAnswerBytes = 256 * 1024;

    /// <summary>Of all that is remembered; at the bound the oldest answers go.</summary>
    private const long MaxBytes = 32 * 1024 * 1024;

    private const int MaxKey = 255;
    private const string Header = "Idempotency-Key";
    private const string Replayed = "Idempotency-Replayed";

    private sealed record Kept(string Request)
    {
        public ActAnswer? Answer { get; set; }
    }

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Kept> _kept = [];
    private readonly Queue<string> _order = [];
    private long _bytes;

    /// <summary>Does what a request asks, or answers what it answered before.</summary>
    /// <param name="http">The request.</param>
    /// <param name="body">Its body.</param>
    /// <param name="act">Does it; is given what the act is to bear.</param>
    /// <exception cref="ApiProblem">400, 409, 422: see the header's specification.</exception>
    public async Task<ActAnswer> Run(HttpContext http, ReadOnlyMemory<byte> body, Func<OnceTag, Task<ActAnswer>> act)
    {
        if (KeyOf(http.Request) is not { } key) return await act(OnceTag.None);
        var request = Hash($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}", body.Span);
        var name = $"{Caller.Of(http).Actor.Key}\n{Caller.Of(http).Credential}\n{key}";
        var tag = new OnceTag(Hash(name, [])[..16], request[..16]);
        if (Begin(name, request) is { } known)
        {
            http.Response.Headers[Replayed] = "true";
            return known;
        }
        ActAnswer? answer = null;
        try
        {
            answer = await act(tag);
            if (answer.IsRepeat) http.Response.Headers[Replayed] = "true";
            return answer;
        }
        finally
        {
            End(name, answer);
        }
    }

    private ActAnswer? Begin(string name, string request)
    {
        lock (_gate)
        {
            if (!_kept.TryGetValue(name, out var kept))
            {
                _kept[name] = new Kept(request);
                return null;
            }
            if (kept.Request != request) throw Reused();
            return kept.Answer ?? throw new ApiProblem(409, "request_in_flight",
                "A request with this Idempotency-Key is being answered.", "Wait, then send it again with the same key.")
            { RetryAfterSeconds = 1 };
        }
    }

    /// <summary>What failed is forgotten: it may be sent again, and the ledger knows whether it was done after all.
    /// </summary>
    private void End(string name, ActAnswer? answer)
    {
        lock (_gate)
        {
            if (answer is null || answer.Json.Length > MaxAnswerBytes)
            {
                _kept.Remove(name);
                return;
            }
            _kept[name].Answer = answer;
            _order.Enqueue(name);
            _bytes += answer.Json.Length;
            while (_order.Count > MaxKept || _bytes > MaxBytes)
                if (_kept.Remove(_order.Dequeue(), out var oldest)) _bytes -= oldest.Answer?.Json.Length ?? 0;
        }
    }

    public static ApiProblem Reused() => new(422, "idempotency_key_reused",
        "This Idempotency-Key was used for another request.", "Use a new key for a new request.");

    /// <summary>The key, with or without the quotes of a structured field; null when there is none.</summary>
    private static string? KeyOf(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(Header, out var values)) return null;
        var text = values.Count == 1 ? values[0]!.Trim() : "";
        if (text.Length > 1 && text[0] == '"' && text[^1] == '"') text = text[1..^1];
        if (text.Length is >= 1 and <= MaxKey
            && text.All(c => c is > ' ' and <= '~' and not ('"' or '\\'))) return text;
        throw new ApiProblem(400, "bad_idempotency_key",
            $"The header {Header} is not one text of 1 to {MaxKey} printable characters.",
            "Write a new UUID for each command, in quotes, and the same one when you send it again.");
    }

    private static string Hash(string head, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(head));
        hash.AppendData("\n"u8);
        hash.AppendData(body);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>
/// What an act bears of its key: digests of key and request, 64 bits each. In the journal it stands behind the
/// credential.
/// </summary>
internal readonly record struct OnceTag(string Key, string Request)
{
    private const string Word = "; once ";

    /// <summary>Entries of a case, or of the policy, that are looked through: the newest.</summary>
    private const int MaxEntries = 10_000;

    public static OnceTag None => new("", "");

    public bool IsNone => Key is not { Length: > 0 };

    public Actor On(Actor by) => IsNone ? by : by with { Credential = $"{by.Credential}{Word}{Key}-{Request}" };

    /// <summary>True when an act with this tag is in the ledger.</summary>
    /// <param name="ledger">Where it would be.</param>
    /// <param name="of">The case; default for what holds over all.</param>
    /// <exception cref="ApiProblem">422: the key was used for another act there.</exception>
    public bool WasDone(ILedgerSource ledger, TwinKey of)
    {
        if (IsNone) return false;
        foreach (var entry in ledger.LastOf(of, MaxEntries).Reverse())
        {
            if (entry.Entry.Kind != LedgerKind.Act || ActorOf(Input.Read(entry.Entry.Body)) is not { } by) continue;
            var at = by.Credential.IndexOf($"{Word}{Key}-", StringComparison.Ordinal);
            if (at < 0) continue;
            if (by.Credential.EndsWith($"-{Request}", StringComparison.Ordinal)) return true;
            throw Onces.Reused();
        }
        return false;
    }

    private static Actor? ActorOf(Input input) => input switch
    {
        CaseAct a => a.By,
        ResponseAct a => a.By,
        PolicyActivation a => a.By,
        Suppression a => a.By,
        PlannedWork a => a.By,
        FreezeAct a => a.By,
        _ => null,
    };

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Key}-{Request}");
}
