using Twin.Hardware.Signatures;

namespace Twin.Hardware.PostQuantum;

/// <summary>Suites with post-quantum algorithms.</summary>
public static class PostQuantumSuites
{
    /// <summary>ECDSA and LMS: a boot ROM that needs nothing but a hash.</summary>
    public static SignatureSuite Lms { get; } =
        SignatureSuite.Classical.With(SignatureAlgorithm.HssLms, LmsKey.Check);

    /// <summary>ECDSA and ML-DSA.</summary>
    public static SignatureSuite MlDsa { get; } =
        SignatureSuite.Classical.With(SignatureAlgorithm.MlDsa65, MlDsaKey.Check);

    /// <summary>All that this edition knows.</summary>
    public static SignatureSuite All { get; } = MlDsa.With(SignatureAlgorithm.HssLms, LmsKey.Check);
}
