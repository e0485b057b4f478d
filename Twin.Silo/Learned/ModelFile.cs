using System.Security.Cryptography;
using System.Text;
using Twin.Detection.Learned;
using Twin.Silo.Storage;

namespace Twin.Silo.Learned;

/// <summary>
/// A model in a file: a line that names the format, the model, the public key of who signed it, and an ECDSA signature
/// (SHA-256, IEEE P1363) over all that stands before it.
/// </summary>
internal static class ModelFile
{
    private const int MaxKey = 1_024, MaxSignature = 256;

    private static ReadOnlySpan<byte> Head => "metertwin-model 1\n"u8;

    public static void Write(string path, LearnedModel model, LedgerKey key)
    {
        var bytes = new Hardware.Coding.ByteWriter(64 * 1024);
        bytes.Bytes(Head);
        bytes.Blob(model.ToBytes());
        bytes.Blob(key.Public);
        bytes.Blob(key.Sign(bytes.ToArray()));
        AtomicFile.Write(path, stream => stream.Write(bytes.Written));
    }

    /// <returns>The model, and the fingerprint of the key that signed it: the SHA-256 of the public key.</returns>
    /// <exception cref="ArgumentException">There is none, it is damaged, or its signature does not hold.</exception>
    public static (LearnedModel Model, string SignedBy) Read(string path)
    {
        try
        {
            var info = new FileInfo(path);
            if (info.Exists && info.Length > LearnedModel.MaxBytes)
                throw new ArgumentException($"{path} is larger than any model ({LearnedModel.MaxBytes} bytes).");
            return Read(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is InvalidDataException or CryptographicException or IOException
            or UnauthorizedAccessException)
        {
            throw new ArgumentException($"{path} cannot be used as a model: {e.Message} 'metertwin train' writes "
                + "one.", e);
        }
    }

    /// <exception cref="InvalidDataException">It is damaged, or its signature does not hold.</exception>
    internal static (LearnedModel Model, string SignedBy) Read(byte[] bytes)
    {
        if (!bytes.AsSpan().StartsWith(Head))
            throw new InvalidDataException("It does not begin as a model of format 1 does.");
        var r = new Hardware.Coding.ByteReader(bytes.AsSpan(Head.Length));
        var model = r.Blob();
        var key = r.Blob();
        var signed = bytes.AsSpan(0, Head.Length + r.Position);
        var signature = r.Blob();
        if (!r.AtEnd || key.Length > MaxKey || signature.Length > MaxSignature)
            throw new InvalidDataException("It is longer than a model.");
        using var verifier = ECDsa.Create();
        verifier.ImportSubjectPublicKeyInfo(key, out _);
        if (!verifier.VerifyData(signed, signature, HashAlgorithmName.SHA256))
            throw new InvalidDataException("Its signature does not hold: it was changed after it was signed.");
        return (LearnedModel.Read(model), Convert.ToHexStringLower(SHA256.HashData(key)));
    }
}
