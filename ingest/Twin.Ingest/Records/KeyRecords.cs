using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Twin.Hardware;

namespace Twin.Ingest.Records;

/// <summary>
/// Records of kind <c>key</c>: a public key as X ‖ Y, or a certificate with its chain, which is held against the
/// trust anchors as of the record's own time. Symmetric keys are named here and never given.
/// </summary>
internal static class KeyRecords
{
    /// <summary>Certificates of one chain.</summary>
    private const int MaxChain = 8;

    public static Input Read(Row row, SecurityImport import, UnixTime at)
    {
        var subject = row.Has("meter") ? MeterId.ParseOrMap(row["meter"].Trim()).Twin
            : TwinKey.Named(TwinKind.Concentrator, row["concentrator"].Trim());
        if (row.Has("certificate")) return Certified(row, import, at, subject);
        if (!row.Has("slot")) throw new RowFault("slot", "is missing; kind key needs it unless a certificate tells");
        var slot = row.Choice("slot", KeySlot.None);
        var change = row.ChoiceOr("change", KeyEventKind.Enrolled);
        var key = row.Bytes("public_key", 96);
        if (key.Length > 0 && slot < KeySlot.DeviceSigning)
            throw new RowFault("public_key", $"is given for {SnakeCase.Of(slot)}, a symmetric key or "
                + "password, which never comes here; leave it empty");
        if (key.Length > 0) CheckPoint(key);
        else if (slot >= KeySlot.DeviceSigning && change == KeyEventKind.Enrolled)
            throw new RowFault("public_key", "is missing; an enrolled key pair needs it, or a certificate");
        var suite = (byte)row.Whole("suite", 0, 2, SuiteOf(key.Length));
        if (key.Length > 0 && suite != SuiteOf(key.Length))
            throw new RowFault("suite", $"is {suite}, and a key of {key.Length} bytes is of suite "
                + SuiteOf(key.Length));
        return new KeyEvent(subject, at, slot, change, suite, key, row.TimeOr("expires", new UnixTime(0)),
            row.Text("actor"));
    }

    private static byte SuiteOf(int keyBytes) => keyBytes switch { 64 => 1, 96 => 2, _ => 0 };

    private static void CheckPoint(byte[] key)
    {
        if (key.Length is not (64 or 96))
            throw new RowFault("public_key", $"has {key.Length} bytes; X and Y one behind the other have 64 or 96");
        var half = key.Length / 2;
        try
        {
            using var _ = ECDsa.Create(new ECParameters
            {
                Curve = half == 32 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384,
                Q = new ECPoint { X = key[..half], Y = key[half..] },
            });
        }
        catch (CryptographicException)
        {
            throw new RowFault("public_key", $"is no point of {(half == 32 ? "P-256" : "P-384")}; check the digits");
        }
    }

    private static KeyEvent Certified(Row row, SecurityImport import, UnixTime at, TwinKey subject)
    {
        if (row.Has("public_key")) throw new RowFault("public_key", "is given beside a certificate; give one of them");
        if (import.Anchors is not { } anchors)
            throw new RowFault("certificate", "cannot be checked without trust anchors; give --trust-anchors FILE");
        var chain = Load(row, import);
        try
        {
            var leaf = chain[0];
            var key = PublicKey(leaf);
            var others = new X509Certificate2Collection(chain.Skip(1).ToArray());
            var time = DateTimeOffset.FromUnixTimeSeconds(at.Seconds).UtcDateTime;
            var fault = anchors.Check(leaf, others, time) ?? WrongName(row, leaf);
            var change = fault is null ? row.ChoiceOr("change", KeyEventKind.Enrolled)
                : KeyEventKind.CertificateUntrusted;
            if (change is not (KeyEventKind.Enrolled or KeyEventKind.CertificateRenewed
                or KeyEventKind.CertificateUntrusted))
                throw new RowFault("change", "is neither enrolled nor certificate_renewed, as a certificate needs");
            var expires = new UnixTime(new DateTimeOffset(leaf.NotAfter.ToUniversalTime()).ToUnixTimeSeconds());
            return new KeyEvent(subject, at, Slot(row, leaf), change, SuiteOf(key.Length), key, expires,
                fault ?? (row.Has("actor") ? row.Text("actor") : NameOf(leaf.IssuerName)));
        }
        finally
        {
            foreach (var certificate in chain) certificate.Dispose();
        }
    }

    private static KeySlot Slot(Row row, X509Certificate2 leaf)
    {
        if (row.Has("slot")) return row.Choice("slot", KeySlot.None);
        var usage = leaf.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault()?.KeyUsages
            ?? X509KeyUsageFlags.None;
        if (usage.HasFlag(X509KeyUsageFlags.DigitalSignature)) return KeySlot.DeviceSigning;
        return usage.HasFlag(X509KeyUsageFlags.KeyAgreement) ? KeySlot.KeyAgreement
            : throw new RowFault("slot", "is missing, and the certificate's key usage does not tell it");
    }

    /// <summary>
    /// A meter's certificate names its system title (or the utility's id) as common name: another meter's proves
    /// nothing here.
    /// </summary>
    private static string? WrongName(Row row, X509Certificate2 leaf)
    {
        var expected = row.Has("meter") ? row["meter"].Trim() : row["concentrator"].Trim();
        var id = row.Has("meter") ? MeterId.ParseOrMap(expected).ToString() : expected;
        var name = leaf.GetNameInfo(X509NameType.SimpleName, false);
        return string.Equals(name, expected, StringComparison.OrdinalIgnoreCase)
            || string.Equals(name, id, StringComparison.OrdinalIgnoreCase)
            ? null : $"certificate of another: it names '{Cut(name)}'";
    }

    private static string NameOf(X500DistinguishedName name) => Cut(name.Name);

    private static string Cut(string text) => text.Length <= 100 ? text : text[..100];

    private static byte[] PublicKey(X509Certificate2 certificate)
    {
        using var ec = certificate.GetECDsaPublicKey()
            ?? throw new RowFault("certificate", "holds no elliptic-curve key; suites 1 and 2 need P-256 or P-384");
        var q = ec.ExportParameters(false).Q;
        byte[] key = [.. q.X!, .. q.Y!];
        return key.Length is 64 or 96 ? key
            : throw new RowFault("certificate", "is on another curve; suites 1 and 2 need P-256 or P-384");
    }

    /// <summary>
    /// PEM, base64 DER (several separated by blanks), or <c>@file</c> beside the record file. Leaf first.
    /// </summary>
    private static List<X509Certificate2> Load(Row row, SecurityImport import)
    {
        var text = row["certificate"];
        if (text.StartsWith('@')) text = FromFile(text[1..], import);
        var chain = new List<X509Certificate2>();
        try
        {
            if (text.Contains("-----BEGIN", StringComparison.Ordinal))
            {
                var all = new X509Certificate2Collection();
                all.ImportFromPem(text);
                chain.AddRange(all);
            }
            else
            {
                foreach (var part in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    chain.Add(X509CertificateLoader.LoadCertificate(Convert.FromBase64String(part)));
            }
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            foreach (var certificate in chain) certificate.Dispose();
            throw new RowFault("certificate", "is no certificate in PEM or base64 DER: " + e.Message);
        }
        if (chain.Count is >= 1 and <= MaxChain) return chain;
        foreach (var certificate in chain) certificate.Dispose();
        throw new RowFault("certificate", $"holds {chain.Count} certificates; give 1 to {MaxChain}, the meter's first");
    }

    private static string FromFile(string name, SecurityImport import)
    {
        if (import.Folder is not { } folder)
            throw new RowFault("certificate", "names a file, which only an import may; give it in PEM or base64 DER");
        var path = Path.Combine(folder, name);
        try
        {
            if (new FileInfo(path).Length > TrustAnchors.MaxFileBytes)
                throw new RowFault("certificate", $"names '{name}', which has over {TrustAnchors.MaxFileBytes} bytes");
            var bytes = File.ReadAllBytes(path);
            return bytes.AsSpan().IndexOf("-----BEGIN"u8) >= 0 ? Encoding.UTF8.GetString(bytes)
                : Convert.ToBase64String(bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RowFault("certificate", $"names '{name}', which cannot be read: {e.Message}");
        }
    }
}
