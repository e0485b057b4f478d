using System.Security.Cryptography;
using Twin.Grains.Ledger;
using Twin.Hardware.Signatures;

namespace Twin.Silo.Storage;

/// <summary>
/// What a reader of a ledger trusts and requires. Keys of an algorithm of which none are named are taken as they are.
/// </summary>
/// <param name="Keys">ECDSA keys as SubjectPublicKeyInfo (DER).</param>
/// <param name="Others">Keys of other algorithms.</param>
/// <param name="Policy">What the last seal must have; null: both when a key in <paramref name="Others"/> can be checked
/// with here, else ECDSA.</param>
/// <param name="Suite">Algorithms that are known here.</param>
public sealed record SealTrust(IReadOnlyList<byte[]> Keys, IReadOnlyList<KnownKey> Others, SignaturePolicy? Policy,
    SignatureSuite Suite)
{
    /// <summary>Any keys, and ECDSA is enough.</summary>
    public static SealTrust Anybody { get; } = new([], [], null, Edition.Signatures);

    public SignaturePolicy Required => Policy
        ?? (Others.Any(k => Suite.Knows(k.Algorithm)) ? SignaturePolicy.Both : SignaturePolicy.Classical);

    /// <summary>Reads public keys in PEM: ECDSA, ML-DSA-65, one behind the other.</summary>
    /// <exception cref="ArgumentException">There is something else.</exception>
    public static (List<byte[]> Keys, List<KnownKey> Others) ReadKeys(string pem)
    {
        var (keys, others) = (new List<byte[]>(), new List<KnownKey>());
        while (PemEncoding.TryFind(pem, out var found))
        {
            var info = Convert.FromBase64String(pem[found.Base64Data]);
            if (MlDsaForms.TryReadPublic(info, out var key)) others.Add(new(SignatureAlgorithm.MlDsa65, key));
            else
            {
                using var ecdsa = ECDsa.Create();
                ecdsa.ImportFromPem(pem[found.Location]);
                keys.Add(ecdsa.ExportSubjectPublicKeyInfo());
            }
            pem = pem[found.Location.End..];
        }
        return keys.Count + others.Count > 0 ? (keys, others) : throw new ArgumentException("no key");
    }

    /// <summary>What is wrong with one seal, whatever stands behind it; null when nothing is.</summary>
    public string? Problem(LedgerSeal seal, IReadOnlyList<JudgedSignature> judged)
    {
        if (seal.IsNewer) return $"the seal of entry {seal.Number} has signatures of a newer format";
        var isEcdsaCounted = Required != SignaturePolicy.PostQuantum;
        if (isEcdsaCounted && judged[0].Answer == SignatureAnswer.Bad)
            return $"the seal of entry {seal.Number} is not the signature of its key over the ledger up to there";
        if (isEcdsaCounted && Keys.Count > 0 && !Keys.Any(k => k.AsSpan().SequenceEqual(seal.Key)))
            return Stranger(seal, LedgerSeal.FingerprintOf(seal.Key));
        for (var i = 1; i < judged.Count; i++)
        {
            if (judged[i].Answer == SignatureAnswer.Bad)
                return $"the {SignatureRules.NameOf(judged[i].Algorithm)} signature in the seal of entry {seal.Number} "
                    + "is not that of its key over the ledger up to there";
            if (Others.Any(k => k.Algorithm == judged[i].Algorithm)
                && !Others.Any(k => k.Key.Span.SequenceEqual(seal.Also.All[i - 1].Key.Span)))
                return Stranger(seal, LedgerSeal.FingerprintOf(seal.Also.All[i - 1].Key.ToArray()));
        }
        return null;
    }

    private static string Stranger(LedgerSeal seal, string fingerprint) => $"entry {seal.Number} is sealed by key "
        + $"{fingerprint}, which is none of those given with --key";

    /// <summary>
    /// What the last seal lacks, which is over all before it; null when it has what is required.
    /// </summary>
    public string? Lacking(long number, IReadOnlyList<JudgedSignature> judged)
    {
        var outcome = SignatureRules.Judge(Required, judged,
            Others.Select(k => k.Algorithm).Distinct().Where(Suite.Knows));
        if (outcome == PolicyOutcome.Accepted) return null;
        var present = judged.FirstOrDefault(s => s.Answer == SignatureAnswer.UnknownAlgorithm);
        return $"the last seal, that of entry {number}, has no good post-quantum signature: "
            + (present.Algorithm != 0
                ? $"its {SignatureRules.NameOf(present.Algorithm)} signature cannot be checked by this edition"
                : "it was taken away, or an edition sealed that makes none");
    }
}

/// <summary>How often which key signed, and whether that was checked; for people.</summary>
public sealed class SealTally
{
    private readonly Dictionary<JudgedSignature, (long Count, string Fingerprint)> _counts = [];

    public void Add(LedgerSeal seal, IReadOnlyList<JudgedSignature> judged)
    {
        for (var i = 0; i < judged.Count; i++)
        {
            var key = i == 0 ? seal.Key : seal.Also.All[i - 1].Key.ToArray();
            var count = _counts.TryGetValue(judged[i], out var was) ? was.Count : 0;
            _counts[judged[i]] = (count + 1, LedgerSeal.FingerprintOf(key));
        }
    }

    /// <summary>A line for each key.</summary>
    public IReadOnlyList<string> Lines() => [.. _counts
        .OrderBy(c => c.Key.Algorithm).ThenBy(c => c.Value.Fingerprint, StringComparer.Ordinal)
        .Select(c => $"{Name(c.Key.Algorithm)} signature of key {c.Value.Fingerprint} "
            + c.Key.Answer switch
            {
                SignatureAnswer.Good => $"checked in {Seals(c.Value.Count)}",
                SignatureAnswer.Bad => $"bad in {Seals(c.Value.Count)}",
                _ => $"present in {Seals(c.Value.Count)}, not checked by this edition",
            })];

    private static string Seals(long count) => count == 1 ? "1 seal" : $"{count} seals";

    /// <summary>Seals take ECDSA on any curve.</summary>
    private static string Name(SignatureAlgorithm algorithm) =>
        SignatureRules.IsClassical(algorithm) ? "ECDSA" : SignatureRules.NameOf(algorithm);
}
