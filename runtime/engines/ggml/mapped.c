/* mapped.c: files of `lutc pack` that lie beside a model, or that LUTC_FILE names. Weights are taken from
   there where the file says that they are made of the very blocks which the engine gives, so that neither the
   path nor the age of a file matters. */
#define _GNU_SOURCE
#include "mapped.h"
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 4096 };

struct lutc_mapped {
  struct lutc_mapped *next;
  size_t users;
  dev_t device;
  ino_t inode;
  struct timespec changed;
  lutc_file file;
  void *data;
  size_t bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static lutc_mapped *all;

static lutc_mapped *find_mapped(const struct stat *status) {
  lutc_mapped *it = all;
  while (it != NULL &&
         (it->device != status->st_dev || it->inode != status->st_ino ||
          it->bytes != (size_t)status->st_size || it->changed.tv_sec != status->st_mtim.tv_sec ||
          it->changed.tv_nsec != status->st_mtim.tv_nsec))
    it = it->next;
  return it;
}

/* Null: `*reason` says why. */
static lutc_mapped *map_file(int descriptor, const struct stat *status, const char **reason) {
  const size_t bytes = (size_t)status->st_size;
  lutc_mapped *mapped = calloc(1, sizeof *mapped);
  void *data =
      S_ISREG(status->st_mode) ? mmap(NULL, bytes, PROT_READ, MAP_SHARED, descriptor, 0) : MAP_FAILED;
  if (mapped == NULL || data == MAP_FAILED) {
    *reason = "it cannot be mapped";
    free(mapped);
    return NULL;
  }
  *mapped = (lutc_mapped){all, 0, status->st_dev, status->st_ino, status->st_mtim, {0}, data, bytes};
  const lutc_status read = lutc_read_file(data, bytes, &mapped->file);
  if (read != LUTC_OK) {
    *reason = lutc_status_string(read);
    munmap(data, bytes);
    free(mapped);
    return NULL;
  }
  madvise(data, bytes, MADV_WILLNEED);
  return all = mapped;
}

static lutc_mapped *open_mapped(const char *path, bool is_wanted) {
  struct stat status;
  const char *reason = NULL;
  lutc_mapped *mapped = NULL;
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0 || fstat(descriptor, &status) != 0) {
    reason = is_wanted || errno != ENOENT ? strerror(errno) : NULL;
  } else {
    pthread_mutex_lock(&lock);
    mapped = find_mapped(&status);
    if (mapped == NULL)
      mapped = map_file(descriptor, &status, &reason);
    if (mapped != NULL)
      ++mapped->users;
    pthread_mutex_unlock(&lock);
  }
  if (descriptor >= 0)
    close(descriptor);
  if (reason != NULL)
    lutc_warn("%s is left out: %s", path, reason);
  return mapped;
}

/* model.gguf: model.lutc; any other name: with .lutc behind it. Whether it has a place. */
static bool name_beside(char path[PATH]) {
  const size_t length = strlen(path), ending = sizeof ".gguf" - 1;
  const size_t stem =
      length > ending && strcmp(path + length - ending, ".gguf") == 0 ? length - ending : length;
  return path[0] == '/' && snprintf(path + stem, PATH - stem, ".lutc") < (int)(PATH - stem);
}

/* The engine has a model's files open while it loads them, whether it maps them or not. */
static size_t open_beside(lutc_mapped **files) {
  DIR *directory = opendir("/proc/self/fd");
  size_t count = 0;
  for (const struct dirent *it; directory != NULL && count < LUTC_MOST_MAPPED && (it = readdir(directory));) {
    char path[PATH];
    const ssize_t length = readlinkat(dirfd(directory), it->d_name, path, sizeof path - 1);
    if (length <= 0)
      continue;
    path[length] = '\0';
    lutc_mapped *mapped = name_beside(path) ? open_mapped(path, false) : NULL;
    if (mapped != NULL)
      files[count++] = mapped;
  }
  if (directory != NULL)
    closedir(directory);
  return count;
}

size_t lutc_open_mapped(lutc_mapped *files[LUTC_MOST_MAPPED]) {
  const char *path = getenv("LUTC_FILE");
  if (path == NULL)
    return open_beside(files);
  files[0] = path[0] != '\0' ? open_mapped(path, true) : NULL; /* empty: none */
  return files[0] != NULL;
}

void lutc_close_mapped(lutc_mapped *mapped) {
  pthread_mutex_lock(&lock);
  if (--mapped->users == 0) {
    lutc_mapped **link = &all;
    while (*link != mapped)
      link = &(*link)->next;
    *link = mapped->next;
    munmap(mapped->data, mapped->bytes);
    free(mapped);
  }
  pthread_mutex_unlock(&lock);
}

/* One of a tensor's matrices in the file: of a stack, also of one matrix, blk.0.ffn_up_exps.7.weight. */
static size_t find_matrix(const lutc_file *file, const ggml_tensor *tensor, size_t matrix) {
  char name[LUTC_MOST_NAME];
  const char *dot = strrchr(tensor->name, '.');
  const size_t index = tensor->ne[2] * tensor->ne[3] == 1 ? lutc_find_index(file, tensor->name) : SIZE_MAX;
  if (index != SIZE_MAX || dot == NULL)
    return index;
  snprintf(name, sizeof name, "%.*s.%zu%s", (int)(dot - tensor->name), tensor->name, matrix, dot);
  return lutc_find_index(file, name);
}

const char *const lutc_lacking = "it lacks them";

const char *lutc_find_packed(const lutc_mapped *mapped, const ggml_tensor *tensor, size_t matrix,
                             const lutc_kernel *kernel, lutc_mapped_matrix *found) {
  const lutc_variant_code *code;
  lutc_tensor packed;
  const size_t index = find_matrix(&mapped->file, tensor, matrix);
  if (lutc_tensor_at(&mapped->file, index, &packed) != LUTC_OK)
    return lutc_lacking;
  if (packed.role != LUTC_PACKED)
    return "it has them as floats";
  const lutc_status status = lutc_check_packed_header(kernel, packed.data, packed.bytes, &code);
  if (status != LUTC_OK)
    return lutc_status_string(status);
  if (((const lutc_packed_header *)packed.data)->header_checksum != packed.checksum)
    return lutc_status_string(LUTC_CORRUPT);
  *found = (lutc_mapped_matrix){packed.data, lutc_record_at(&mapped->file, index)->source};
  return NULL;
}
