/* The floor without Python: per element two scalar multiplications and one addition.
   libsodium's functions come as pointers, so that nothing is linked. */

typedef int (*operation)(unsigned char *, const unsigned char *, const unsigned char *);

int floor_of(operation scalarmult, operation add, const unsigned char *key,
             const unsigned char *weights, const unsigned char *elements, unsigned long count,
             unsigned char *evaluated, unsigned char *total)
{
    unsigned char term[32];
    int failed = 0;

    for (unsigned long i = 0; i < count; i++) {
        failed |= scalarmult(evaluated + 32 * i, key, elements + 32 * i);
        failed |= scalarmult(term, weights + 32 * i, elements + 32 * i);
        failed |= add(total, total, term);
    }
    return failed;
}
