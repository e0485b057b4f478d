using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Twin.Ingest.Records;

/// <summary>
/// The certificates that the utility trusts by itself. Chains are checked against these alone: not the system's store,
/// no network, no revocation lists (a revoked key is a record of its own).
/// </summary>
public sealed class TrustAnchors : IDisposable
{
    private readonly X509Certificate2Collection _anchors = [];

    /// <summary>Largest file of anchors or of one chain.</summary>
    public const int MaxFileBytes = 256 * 1024;

    /// <summary>Reads a PEM file of one or more certificates.</summary>
    /// <exception cref="FormatError">There is no such file, or it holds no certificate.</exception>
    public static TrustAnchors Read(string path)
    {
        if (!File.Exists(path)) throw new FormatError(path, "does not exist.", "Name a PEM file of trust anchors.");
        var anchors = new TrustAnchors();
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
                throw new FormatError(path, $"has over {MaxFileBytes} bytes.", "Name a PEM file of trust anchors.");
            anchors._anchors.ImportFromPemFile(path);
        }
        catch (CryptographicException e)
        {
            throw new FormatError(path, $"holds a damaged certificate: {e.Message}", "Correct it.");
        }
        return anchors._anchors.Count > 0 ? anchors
            : throw new FormatError(path, "holds no certificate in PEM.", "It needs -----BEGIN CERTIFICATE-----.");
    }

    /// <summary>Null when the chain leads to an anchor and was in force at that time; else why not.</summary>
    public string? Check(X509Certificate2 leaf, X509Certificate2Collection others, DateTime at)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_anchors);
        chain.ChainPolicy.ExtraStore.AddRange(others);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = at;
        if (chain.Build(leaf)) return null;
        var reasons = chain.ChainStatus.Select(static s => s.Status.ToString()).Distinct();
        return "certificate chain: " + string.Join(", ", reasons);
    }

    public void Dispose()
    {
        foreach (var anchor in _anchors) anchor.Dispose();
    }
}
