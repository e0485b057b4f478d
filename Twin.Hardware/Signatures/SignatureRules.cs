namespace Twin.Hardware.Signatures;

/// <summary>What a verifier says of one signature.</summary>
public enum SignatureAnswer : byte
{
    Good = 1, Bad = 2,
    /// <summary>The verifier does not know the algorithm: it can say neither.</summary>
    UnknownAlgorithm = 3,
    /// <summary>The verifier does not know or no longer trusts the key.</summary>
    UnknownKey = 4,
}

/// <summary>What must be signed how, the weakest first: a requirement only rises.</summary>
public enum SignaturePolicy : byte
{
    /// <summary>A good ECDSA signature is enough.</summary>
    Classical = 1,
    /// <summary>A good ECDSA signature and a good post-quantum one.</summary>
    Both = 2,
    /// <summary>A good post-quantum signature; ECDSA counts for nothing, good or bad.</summary>
    PostQuantum = 3,
}

/// <summary>What a policy makes of signatures.</summary>
public enum PolicyOutcome : byte
{
    Accepted = 0,
    /// <summary>One that counts was checked and is not its key's.</summary>
    BadSignature = 1,
    /// <summary>A key is known, and no good signature of its algorithm is there: a downgrade.</summary>
    Stripped = 2,
    /// <summary>The policy wants more than is there.</summary>
    TooFew = 3,
}

/// <summary>A signature and what was said of it.</summary>
public readonly record struct JudgedSignature(SignatureAlgorithm Algorithm, ulong KeyId, SignatureAnswer Answer)
{
    public override string ToString() => $"{SignatureRules.NameOf(Algorithm)} key {KeyId:x16}: "
        + Answer switch
        {
            SignatureAnswer.Good => "good",
            SignatureAnswer.Bad => "bad",
            SignatureAnswer.UnknownAlgorithm => "present, not checked: the algorithm is not known here",
            _ => "present, not checked: the key is not known here",
        };
}

/// <summary>
/// What is required, of firmware and of the ledger alike. An algorithm that a verifier does not know costs nothing, so
/// that old ones take what they can; one that it has a key for may not be missing, so that nobody goes back.
/// </summary>
public static class SignatureRules
{
    public static bool IsClassical(SignatureAlgorithm algorithm) =>
        algorithm is SignatureAlgorithm.EcdsaP256 or SignatureAlgorithm.EcdsaP384;

    /// <param name="signatures">All that there are, each judged.</param>
    /// <param name="expected">Algorithms for which the verifier has a key that is in force.</param>
    public static PolicyOutcome Judge(SignaturePolicy policy, IReadOnlyCollection<JudgedSignature> signatures,
        IEnumerable<SignatureAlgorithm> expected)
    {
        bool Counts(SignatureAlgorithm a) => policy != SignaturePolicy.PostQuantum || !IsClassical(a);
        bool Has(Func<SignatureAlgorithm, bool> which) =>
            signatures.Any(s => s.Answer == SignatureAnswer.Good && which(s.Algorithm));
        if (signatures.Any(s => s.Answer == SignatureAnswer.Bad && Counts(s.Algorithm)))
            return PolicyOutcome.BadSignature;
        if (expected.Where(Counts).Any(e => !Has(a => a == e))) return PolicyOutcome.Stripped;
        var (classical, post) = (Has(IsClassical), Has(a => !IsClassical(a)));
        var enough = policy switch
        {
            SignaturePolicy.Classical => classical,
            SignaturePolicy.Both => classical && post,
            _ => post,
        };
        return enough ? PolicyOutcome.Accepted : PolicyOutcome.TooFew;
    }

    /// <summary>The algorithm as people call it; its number when it has no name here.</summary>
    public static string NameOf(SignatureAlgorithm algorithm) => algorithm switch
    {
        SignatureAlgorithm.EcdsaP256 => "ECDSA P-256",
        SignatureAlgorithm.EcdsaP384 => "ECDSA P-384",
        SignatureAlgorithm.MlDsa65 => "ML-DSA-65",
        SignatureAlgorithm.HssLms => "HSS/LMS",
        _ => $"algorithm {(int)algorithm}",
    };
}
